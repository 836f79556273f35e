import { defineEntityOf } from '#libs/db';
import { mailboxOf, toMailbox } from '#libs/text';
import { personRequired } from './auth.errors.ts';
import { accountDeleted } from './deletion.errors.ts';
import {
  accountEtag,
  accountTable,
  newAccount,
  newServiceAccount,
  notDeleted,
  type AccountRole,
  type AccountValues,
  type NewAccount,
} from './account.columns.ts';

export const AccountSchema = defineEntityOf(accountTable, {
  name: 'Account',
  uniques: [{ name: 'accounts_email_key', properties: ['email'] }],
  indexes: [
    // One mailbox is one account. Most mailboxes are spelled like the e-mail and not stored a second time.
    {
      name: 'accounts_mailbox_key',
      expression: 'create unique index "accounts_mailbox_key" on "accounts" (coalesce("mailbox", "email"))',
    },
    {
      name: 'accounts_mailbox_idx',
      expression: 'create index "accounts_mailbox_idx" on "accounts" ("mailbox") where ("mailbox" is not null)',
    },
    {
      name: 'accounts_purge_time_idx',
      expression:
        'create index "accounts_purge_time_idx" on "accounts" ("purge_time") where ("purge_time" is not null)',
    },
    {
      name: 'accounts_administrators_idx',
      expression: `create index "accounts_administrators_idx" on "accounts" ("id") where ("role" = 'admin')`,
    },
  ],
});

// Replicas' clocks may differ by this much, and every token that was issued before is still recognised as older.
const clockDifferenceMs = 1000;

export function tokenIssueTime(tokensNotBefore: Date | null, now: Date): Date {
  return tokensNotBefore !== null && tokensNotBefore > now ? tokensNotBefore : now;
}

/** Who may sign in, and as what. */
export class Account extends AccountSchema.class {
  static of(values: AccountValues): Account {
    return Object.assign(new Account(), values);
  }

  static create(values: NewAccount, now: Date): Account {
    return Account.of(newAccount(values, now));
  }

  static createForService(...how: Parameters<typeof newServiceAccount>): Account {
    return Account.of(newServiceAccount(...how));
  }

  get etag(): string {
    return accountEtag(this);
  }

  /** Whether a token that was made from an earlier state of this account is as good as one made now. */
  givesTokensOf(earlier: Account): boolean {
    return this.role === earlier.role && this.tokensNotBefore?.getTime() === earlier.tokensNotBefore?.getTime();
  }

  /** Whether the password that was checked against an earlier state is still the right one. */
  hasPasswordOf(earlier: Account): boolean {
    return this.enabled && this.passwordVersion === earlier.passwordVersion;
  }

  /** False when its e-mail has to be verified before. */
  maySignIn({ unverifiedMaySignIn }: { unverifiedMaySignIn: boolean }): boolean {
    return unverifiedMaySignIn || this.emailVerifyTime !== null;
  }

  /** A service account cannot sign in to put anything right, so it does not count. */
  isEnabledAdministrator(): boolean {
    return this.enabled && this.role === 'admin' && !this.serviceAccount;
  }

  /** The time that a token issued now has to carry in order not to count among those before the last change. */
  tokenIssueTime(now: Date): Date {
    return tokenIssueTime(this.tokensNotBefore, now);
  }

  /** False when nothing changed. */
  setRole(role: AccountRole, now: Date): boolean {
    if (this.role === role) return false;
    this.role = role;
    this.endTokens(now);
    this.countChange(now);
    return true;
  }

  /** False when it was so already. A deleted account is disabled once it is back. */
  disable(now: Date): boolean {
    if (!this.enabled && !this.enabledBefore) return false;
    if (this.enabled) this.endTokens(now);
    this.enabled = false;
    this.enabledBefore = false;
    this.countChange(now);
    return true;
  }

  /**
   * False when it was so already. Deleting a deleted account again keeps its times, makes the deletion that of the
   * last one who asked for it, and replaces the successor if another is named.
   */
  delete(deletion: { deleterId: string; successorId: string | null; purgeTime: Date }, now: Date): boolean {
    if (this.deleteTime !== null) return this.deleteAgain(deletion, now);
    Object.assign(this, deletion, { deleteTime: now, enabledBefore: this.enabled, enabled: false });
    this.endTokens(now);
    this.countChange(now);
    return true;
  }

  /** False when it was not deleted. */
  undelete(now: Date): boolean {
    if (this.deleteTime === null) return false;
    Object.assign(this, { enabled: this.enabledBefore }, notDeleted);
    this.countChange(now);
    return true;
  }

  /** Whether its person has deleted it and may take it back. */
  isReclaimable(now: Date): this is Account & { purgeTime: Date } {
    const isOwn = this.deleterId === this.id && this.enabledBefore;
    return isOwn && this.purgeTime !== null && this.purgeTime > now;
  }

  /** False when it was so already. */
  enable(now: Date): boolean {
    if (this.enabled) return false;
    if (this.purgeTime !== null) throw accountDeleted(this.purgeTime);
    this.enabled = true;
    this.countChange(now);
    return true;
  }

  /** Makes it an enabled administrator's. False when it was one's already. */
  restoreAdministrator(now: Date): boolean {
    if (this.isEnabledAdministrator()) return false;
    Object.assign(this, notDeleted, { enabled: true, role: 'admin' });
    this.countChange(now);
    return true;
  }

  /** False when it is the same address. Of another mailbox nobody has shown yet that they read its mail. */
  changeEmail(email: string, now: Date): boolean {
    this.requirePerson();
    if (this.email === email) return false;
    if (!this.hasMailboxOf(email)) this.emailVerifyTime = null;
    this.email = email;
    this.mailbox = mailboxOf(email);
    this.countChange(now);
    return true;
  }

  /** Whether the e-mail is another spelling of the account's. */
  hasMailboxOf(email: string): boolean {
    return toMailbox(this.email) === toMailbox(email);
  }

  /** False when it was verified before. */
  verifyEmail(now: Date): boolean {
    if (this.emailVerifyTime !== null) return false;
    this.emailVerifyTime = now;
    this.countChange(now);
    return true;
  }

  /** Whether the mailbox is stored as it should be: a release before this one knew no mailboxes. */
  hasMailbox(): boolean {
    return this.mailbox === mailboxOf(this.email);
  }

  setMailbox(): void {
    this.mailbox = mailboxOf(this.email);
  }

  changePassword(passwordHash: string, now: Date): void {
    this.requirePerson();
    this.passwordHash = passwordHash;
    this.passwordVersion += 1;
    this.updateTime = now;
  }

  /** The same password, hashed with the cost of today. */
  rehashPassword(passwordHash: string): void {
    this.passwordHash = passwordHash;
  }

  /** Throws PERSON_REQUIRED for a service account. */
  requirePerson(): void {
    if (this.serviceAccount) throw personRequired(this.id);
  }

  /** Access tokens up to now are not valid. It is the next full second that none has carried, by any replica's clock. */
  endTokens(now: Date): void {
    const next = (Math.floor((now.getTime() + clockDifferenceMs) / 1000) + 1) * 1000;
    this.tokensNotBefore = new Date(Math.max(next, (this.tokensNotBefore?.getTime() ?? 0) + 1000));
  }

  private deleteAgain({ deleterId, ...named }: { deleterId: string; successorId: string | null }, now: Date): boolean {
    const successorId = named.successorId ?? this.successorId;
    if (this.deleterId === deleterId && this.successorId === successorId) return false;
    Object.assign(this, { deleterId, successorId });
    this.countChange(now);
    return true;
  }

  private countChange(now: Date): void {
    this.version += 1n;
    this.updateTime = now;
  }
}
AccountSchema.setClass(Account);
