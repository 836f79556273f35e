import { p } from '@mikro-orm/core';
import { PasswordReset as PasswordResetMessage } from '#contract/auth/v1/auth';
import { column, defineColumns, defineMessage, type Stored } from '#libs/db';
import { AccountSchema } from './account.entity.ts';

const kinds = ['password_reset', 'email_verification', 'email_change'] as const;
export type AccountTokenKind = (typeof kinds)[number];

const toAccount = () =>
  p
    .manyToOne(AccountSchema)
    .mapToPk()
    .fieldName('account_id')
    .index(false) // the unique key begins with it
    .foreignKeyName('account_tokens_account_id_fkey')
    .updateRule('no action')
    .deleteRule('cascade');

/** Everything that is stored of a one-time token of an account. It goes with its use. */
export const accountTokenTable = defineColumns('account_tokens', {
  id: column.uuid().primary(),
  accountId: column.uuid().reference(toAccount).fixed(),
  kind: column.oneOf(kinds).fixed().internal(),
  /** Where it was mailed to, and what a verification verifies: the account's e-mail, or the one that it will get. */
  email: column.text().fixed().internal(),
  /** Of the token, which is stored nowhere. */
  tokenHash: column.text().fixed().internal(),
  /** Whether it was given out by mail only, so that its use shows that somebody reads the mail of the address. */
  mailed: column.boolean().fixed().internal(),
  /** Whether its use makes the account an enabled administrator's again. */
  restoresAdministrator: column.boolean().fixed().internal(),
  createTime: column.time().fixed(),
  expireTime: column.time().fixed(),
});

export type AccountTokenColumns = typeof accountTokenTable.columns;
export type AccountTokenValues = Stored<AccountTokenColumns>;

type Given = Pick<AccountTokenValues, 'id' | 'accountId' | 'kind' | 'email' | 'tokenHash' | 'mailed'>;

export function newAccountToken(
  values: Given & { restoresAdministrator?: boolean },
  now: Date,
  lifetimeMs: number,
): AccountTokenValues {
  return {
    restoresAdministrator: false,
    ...values,
    createTime: now,
    expireTime: new Date(now.getTime() + lifetimeMs),
  };
}

export const toPasswordResetMessage = defineMessage<PasswordResetMessage, void>(PasswordResetMessage.fromPartial({}))(
  accountTokenTable,
  {},
);
