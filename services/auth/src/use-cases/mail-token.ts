import type { Repositories } from '../deps.ts';
import type { AccountTokenValues } from '../domain/account-token.columns.ts';
import { newTokenMail, type MailKind } from '../domain/mail.columns.ts';

const mailKinds: Record<AccountTokenValues['kind'], MailKind> = {
  password_reset: 'password_reset',
  email_verification: 'email_verification',
  email_change: 'email_verification',
};

const hourMs = 3_600_000;

interface TokenMail {
  mailId: string;
  mailsPerHour: number;
  /** Whether the account is new itself. */
  isNew?: boolean;
  /** What the mail says; by default what tokens of this kind are for. */
  kind?: MailKind;
}

/**
 * Stores the token of a locked account in place of the one before it, and the mail that brings it. False, and nothing
 * is stored, when the account or the address was sent as many mails as are allowed.
 */
export async function mailToken(
  { accountTokens, mails }: Pick<Repositories, 'accountTokens' | 'mails'>,
  token: AccountTokenValues,
  { mailId, mailsPerHour, isNew = false, kind = mailKinds[token.kind] }: TokenMail,
): Promise<boolean> {
  const mail = newTokenMail({ id: mailId, accountId: token.accountId, kind }, token);
  const sent = await mails.countSince(new Date(token.createTime.getTime() - hourMs), mail);
  if (sent >= mailsPerHour) return false;
  if (isNew) accountTokens.add(token);
  else await accountTokens.replace(token);
  mails.send(mail);
  return true;
}
