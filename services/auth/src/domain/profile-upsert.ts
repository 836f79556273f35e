import type { AccountRole } from './account.columns.ts';
import type { Account } from './account.entity.ts';

/**
 * The message to users about an account, as JSON. Its display name counts only for a profile that does not exist yet.
 */
export type ProfileUpsert = {
  accountId: string;
  email: string;
  role: AccountRole;
  enabled: boolean;
  /** Absent in messages of an earlier release. */
  emailVerified?: boolean;
  displayName: string;
  accountVersion: string;
  accountCreateTime: string;
};

export function toProfileUpsert(account: Account): ProfileUpsert {
  const { id, email, role, enabled, emailVerifyTime, version, createTime, registeredName } = account;
  const displayName = registeredName ?? email.slice(0, email.indexOf('@'));
  return {
    accountId: id,
    email,
    role,
    enabled,
    emailVerified: emailVerifyTime !== null,
    displayName,
    accountVersion: version.toString(),
    accountCreateTime: createTime.toISOString(),
  };
}
