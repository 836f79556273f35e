import { p } from '@mikro-orm/core';
import { PersonalToken as PersonalTokenMessage } from '#contract/auth/v1/auth';
import type { Scope } from '#contract/policy/v1/policy';
import { column, defineColumns, defineMessage, type Stored } from '#libs/db';
import { AccountSchema } from './account.entity.ts';

const toAccount = () =>
  p
    .manyToOne(AccountSchema)
    .mapToPk()
    .fieldName('account_id')
    .foreignKeyName('personal_tokens_account_id_fkey')
    .updateRule('no action')
    .deleteRule('cascade');

/**
 * Everything that is stored of a personal token. A column that is not internal is the field of its name in the message.
 */
export const personalTokenTable = defineColumns('personal_tokens', {
  id: column.uuid().primary(),
  accountId: column.uuid().reference(toAccount).fixed(),
  name: column.text().fixed(),
  /** In the order of the contract. */
  scopes: column.texts<Scope>().fixed(),
  /** SHA-256 of the token in base64url. The token is stored nowhere. */
  tokenHash: column.text().fixed().internal(),
  creatorId: column.uuid().fixed(),
  createTime: column.time().fixed(),
  /** That of the revocation when it came first. */
  expireTime: column.time(),
  revokeTime: column.time().nullable(),
  /** Renewed at most once an hour. */
  lastUseTime: column.time().nullable(),
});

export type PersonalTokenColumns = typeof personalTokenTable.columns;
export type PersonalTokenValues = Stored<PersonalTokenColumns>;

export type NewPersonalToken = Pick<
  PersonalTokenValues,
  'id' | 'accountId' | 'name' | 'scopes' | 'tokenHash' | 'creatorId'
>;

export function newPersonalToken(values: NewPersonalToken, now: Date, ttlMs: number): PersonalTokenValues {
  return {
    ...values,
    createTime: now,
    expireTime: new Date(now.getTime() + ttlMs),
    revokeTime: null,
    lastUseTime: null,
  };
}

export const toPersonalTokenMessage = defineMessage<PersonalTokenMessage, void>(PersonalTokenMessage.fromPartial({}))(
  personalTokenTable,
  {},
);
