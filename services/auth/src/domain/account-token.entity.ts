import { defineEntityOf } from '#libs/db';
import { accountTokenTable, type AccountTokenValues } from './account-token.columns.ts';

export const AccountTokenSchema = defineEntityOf(accountTokenTable, {
  name: 'AccountToken',
  uniques: [
    // A new one takes the place of the older one.
    { name: 'account_tokens_account_id_kind_key', properties: ['accountId', 'kind'] },
    { name: 'account_tokens_token_hash_key', properties: ['tokenHash'] },
  ],
  indexes: [{ name: 'account_tokens_expire_time_idx', properties: ['expireTime'] }],
});

/** Lets its bearer do one thing with an account, once. */
export class AccountToken extends AccountTokenSchema.class {
  static of(values: AccountTokenValues): AccountToken {
    return Object.assign(new AccountToken(), values);
  }
}
AccountTokenSchema.setClass(AccountToken);
