import { defineEntity, p } from '@mikro-orm/core';

export const roles = ['user', 'admin'] as const;
export type AccountRole = (typeof roles)[number];

export const AccountSchema = defineEntity({
  name: 'Account',
  tableName: 'accounts',
  indexes: [
    {
      name: 'accounts_administrators_idx',
      expression: `create index "accounts_administrators_idx" on "accounts" ("id") where ("role" = 'admin')`,
    },
  ],
  properties: {
    id: p.uuid().primary(),
    /** As normaliseEmail gives it. */
    email: p.text().unique('accounts_email_key'),
    /** argon2id in PHC form. */
    passwordHash: p.text(),
    role: p.enum(roles),
    enabled: p.boolean(),
    /** Grows when the password is changed, and not when the same password is only hashed anew. */
    passwordVersion: p.integer().default(1),
    /** Access tokens issued before this are not valid; a full second, as tokens know no fractions. */
    tokensNotBefore: p.datetime(3).nullable(),
    /** The name given at the registration, for a profile that does not exist yet. */
    registeredName: p.text().nullable(),
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
  registeredName: string;
}

// Replicas' clocks may differ by this much, and every token that was issued before is still recognised as older.
const clockDifferenceMs = 1000;

/** Who may sign in, and as what. */
export class Account extends AccountSchema.class {
  static create(values: NewAccount, now: Date): Account {
    return Object.assign(new Account(), values, { enabled: true, version: 1n, passwordVersion: 1, tokensNotBefore: null, createTime: now, updateTime: now });
  }

  /** Whether a token that was made from an earlier state of this account is as good as one made now. */
  givesTokensOf(earlier: Account): boolean {
    return this.role === earlier.role && this.tokensNotBefore?.getTime() === earlier.tokensNotBefore?.getTime();
  }

  /** Whether the password that was checked against an earlier state is still the right one. */
  hasPasswordOf(earlier: Account): boolean {
    return this.enabled && this.passwordVersion === earlier.passwordVersion;
  }

  isEnabledAdministrator(): boolean {
    return this.enabled && this.role === 'admin';
  }

  /** The time that a token issued now has to carry in order not to count among those before the last change. */
  tokenIssueTime(now: Date): Date {
    return this.tokensNotBefore != null && this.tokensNotBefore > now ? this.tokensNotBefore : now;
  }

  /** False when nothing changed. */
  setRole(role: AccountRole, now: Date): boolean {
    if (this.role === role) return false;
    this.role = role;
    this.endTokens(now);
    this.countChange(now);
    return true;
  }

  /** False when it was so already. */
  disable(now: Date): boolean {
    if (!this.enabled) return false;
    this.enabled = false;
    this.endTokens(now);
    this.countChange(now);
    return true;
  }

  /** False when it was so already. */
  enable(now: Date): boolean {
    if (this.enabled) return false;
    this.enabled = true;
    this.countChange(now);
    return true;
  }

  /** False when it is the same address. */
  changeEmail(email: string, now: Date): boolean {
    if (this.email === email) return false;
    this.email = email;
    this.countChange(now);
    return true;
  }

  changePassword(passwordHash: string, now: Date): void {
    this.passwordHash = passwordHash;
    this.passwordVersion += 1;
    this.updateTime = now;
  }

  /** The same password, hashed with the cost of today. */
  rehashPassword(passwordHash: string): void {
    this.passwordHash = passwordHash;
  }

  /** The next full second that no token has carried yet, by any replica's clock. */
  private endTokens(now: Date): void {
    const next = (Math.floor((now.getTime() + clockDifferenceMs) / 1000) + 1) * 1000;
    this.tokensNotBefore = new Date(Math.max(next, (this.tokensNotBefore?.getTime() ?? 0) + 1000));
  }

  private countChange(now: Date): void {
    this.version = BigInt(this.version) + 1n;
    this.updateTime = now;
  }
}
AccountSchema.setClass(Account);
