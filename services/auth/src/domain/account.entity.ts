import { defineEntity, p } from '@mikro-orm/core';

export const roles = ['user', 'admin'] as const;
export type AccountRole = (typeof roles)[number];

export const AccountSchema = defineEntity({
  name: 'Account',
  tableName: 'accounts',
  properties: {
    id: p.uuid().primary(),
    /** As normaliseEmail gives it. */
    email: p.text().unique('accounts_email_key'),
    /** argon2id in PHC form. */
    passwordHash: p.text(),
    role: p.enum(roles),
    enabled: p.boolean(),
    /** Grows with every change that the profile's read copy shows. */
    version: p.bigint(),
    createTime: p.datetime(3),
    updateTime: p.datetime(3),
  },
});

export interface NewAccount {
  id: string;
  email: string;
  passwordHash: string;
  role: AccountRole;
}

/** Who may sign in, and as what. */
export class Account extends AccountSchema.class {
  static create(values: NewAccount, now: Date): Account {
    return Object.assign(new Account(), values, { enabled: true, version: 1n, createTime: now, updateTime: now });
  }

  /** Whether a sign-in that was checked against an earlier state of this account still stands. */
  allowsWhatWasVerified(earlier: Account): boolean {
    return this.enabled && this.passwordHash === earlier.passwordHash && this.role === earlier.role;
  }
}
AccountSchema.setClass(Account);
