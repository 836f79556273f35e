import type { MailKind, MailValues } from './mail.columns.ts';

/** A person's wish for a mail, as JSON. Whether the e-mail has an account is found out afterwards. */
export type MailWish = {
  /** Of the mail that it may become, so that a wish that is carried out again makes no second one. */
  mailId: string;
  kind: 'password_reset' | 'email_verification';
  email: string;
};

/** A mail that the scheduler is to send, as JSON. */
export type MailHandOver = { mailId: string; kind: MailKind };

/** Mails and wishes for them. They are part of the transaction, and are handed over or carried out after it. */
export interface MailRepository {
  wish(wish: MailWish): void;
  /** Whether a mail with this id has been made. */
  has(id: string): Promise<boolean>;
  send(mail: MailValues): void;
  /** Nobody else counts or sends mails without an account to the address until the transaction ends. */
  takeTurns(email: string): Promise<void>;
  /** How many mails of a kind went to the account or to the address since a time. */
  countSince(time: Date, mail: Pick<MailValues, 'kind' | 'accountId' | 'email'>): Promise<number>;
  /** Removes up to `limit` mails that expired before the given time; says how many. */
  removeExpired(before: Date, limit: number): Promise<number>;
}
