import { p } from '@mikro-orm/core';
import { column, defineColumns, type Stored } from '#libs/db';
import { AccountSchema } from './account.entity.ts';

const kinds = [
  'password_reset',
  'email_verification',
  'invitation',
  'password_changed',
  'account_recovered',
  'email_change_requested',
  'email_changed',
  'account_deleted',
  'account_created',
  'project_invitation',
] as const;
export type MailKind = (typeof kinds)[number];

const toAccount = () =>
  p
    .manyToOne(AccountSchema)
    .nullable()
    .mapToPk()
    .fieldName('account_id')
    .index(false) // an index begins with it
    .foreignKeyName('mails_account_id_fkey')
    .updateRule('no action')
    .deleteRule('cascade');

/** Everything that is stored of a mail. What it says is put together when it is sent. */
export const mailTable = defineColumns('mails', {
  id: column.uuid().primary(),
  kind: column.oneOf(kinds).fixed(),
  /** Null for invitations. */
  accountId: column.uuid().nullable().reference(toAccount).fixed(),
  /** Where it goes. */
  email: column.text().fixed(),
  /** The account's token or the invitation that it carries; null for a notice. */
  subjectId: column.uuid().nullable().fixed(),
  /** Of a notice about the e-mail: the other address. */
  newEmail: column.text().nullable().fixed(),
  createTime: column.time().fixed(),
  /** It is not sent any more from then on. */
  expireTime: column.time().fixed(),
});

export type MailColumns = typeof mailTable.columns;
export type MailValues = Stored<MailColumns>;

type Notice = Exclude<
  MailKind,
  'password_reset' | 'email_verification' | 'invitation' | 'account_created' | 'project_invitation'
>;

// A notice that could not be sent for so long would only confuse.
const noticeLifetimeMs = 7 * 24 * 3_600_000;

/** Tells the owner of an account what has happened to it, at the address that it had. */
export function newNotice(
  identity: Pick<MailValues, 'id' | 'accountId' | 'email'>,
  notice: { kind: Notice; newEmail?: string },
  now: Date,
): MailValues {
  return {
    newEmail: null,
    ...identity,
    ...notice,
    subjectId: null,
    createTime: now,
    expireTime: new Date(now.getTime() + noticeLifetimeMs),
  };
}

interface Subject {
  id: string;
  email: string;
  createTime: Date;
  expireTime: Date;
}

/** Brings the token of a row to the row's address. */
export function newTokenMail(
  { id, accountId, kind }: Pick<MailValues, 'id' | 'accountId' | 'kind'>,
  { id: subjectId, email, createTime, expireTime }: Subject,
): MailValues {
  return { id, kind, accountId, email, subjectId, newEmail: null, createTime, expireTime };
}
