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
  /** Absent in messages of the release before. */
  serviceAccount?: boolean;
  /** Of a deleted account only. */
  purgeTime?: string;
};

export function toProfileUpsert(account: Account): ProfileUpsert {
  const { id, role, enabled, emailVerifyTime, version, createTime, registeredName, serviceAccount } = account;
  const { purgeTime } = account;
  const email = serviceAccount ? '' : account.email;
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
    serviceAccount,
    ...(purgeTime !== null && { purgeTime: purgeTime.toISOString() }),
  };
}
