import { defineEntityOf } from '#libs/db';
import { newPersonalToken, personalTokenTable } from './personal-token.columns.ts';

export const PersonalTokenSchema = defineEntityOf(personalTokenTable, {
  name: 'PersonalToken',
  uniques: [{ name: 'personal_tokens_token_hash_key', properties: ['tokenHash'] }],
  indexes: [
    { name: 'personal_tokens_account_id_create_time_idx', properties: ['accountId', 'createTime', 'id'] },
    { name: 'personal_tokens_expire_time_idx', properties: ['expireTime'] },
  ],
});

/** Lets a program act for an account, within its scopes. */
export class PersonalToken extends PersonalTokenSchema.class {
  static create(...how: Parameters<typeof newPersonalToken>): PersonalToken {
    return Object.assign(new PersonalToken(), newPersonalToken(...how));
  }

  /** False when it had ended before. */
  revoke(now: Date): boolean {
    if (this.expireTime <= now) return false;
    this.revokeTime = now;
    this.expireTime = now;
    return true;
  }
}
PersonalTokenSchema.setClass(PersonalToken);
