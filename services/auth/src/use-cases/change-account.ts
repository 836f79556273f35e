import type { SetRoleRequest, SetRoleResponse } from '#contract/auth/v1/auth';
import type { Once } from '#libs/db';
import type { AuthDeps, Repositories } from '../deps.ts';
import type { Account } from '../domain/account.entity.ts';
import { toAccountMessage } from '../domain/account.columns.ts';
import { accountChanged, lastAdministrator, userNotFound } from '../domain/auth.errors.ts';
import { ofAccount } from './audited.ts';
import { endingOf } from './repeatable.ts';

export type AdministrationNeeds = Pick<AuthDeps, 'uow' | 'clock' | 'profileDelivery' | 'requestFingerprints'>;

export interface AccountChange {
  once: Once<SetRoleResponse>;
  validateOnly: boolean;
  /** The action in the audit log: "role_changed". */
  audit: string;
  /** Locks and changes the account; says whether anything changed. May run more than once. */
  apply(
    repositories: Repositories,
    now: Date,
  ): Promise<{ account: Account; isChanged: boolean; /** Of the event. */ details?: Record<string, string> }>;
}

/** Carries out an administrator's change of an account, and lets the copy in users follow. */
export async function changeAccount(
  deps: AdministrationNeeds,
  { once, validateOnly, audit, apply }: AccountChange,
): Promise<SetRoleResponse> {
  const { clock, profileDelivery } = deps;
  let changed: Account | undefined;
  const response = await endingOf(deps, { validateOnly })(async (repositories) => {
    const { account, isChanged, details: more } = await apply(repositories, clock.now());
    if (isChanged) {
      repositories.profiles.upsert(account);
      const details = { role: account.role, enabled: String(account.enabled), ...more };
      await repositories.audit.add({ action: audit, ...ofAccount(account), details });
    }
    changed = isChanged ? account : undefined;
    return { account: toAccountMessage(account) };
  }, once);
  if (changed === undefined || validateOnly) return response;
  await profileDelivery.waitForFirstAttempt(changed.id);
  return response;
}

type Named = Pick<SetRoleRequest, 'accountId' | 'etag'>;

/** Throws unless the etag is '' or the account's current one. */
export function checkEtag(account: Account, etag: string): void {
  if (etag !== '' && etag !== account.etag) throw accountChanged(account.id);
}

export async function lockAccount({ accounts }: Repositories, { accountId, etag }: Named): Promise<Account> {
  const account = await accounts.lock(accountId);
  if (account === undefined) throw userNotFound(accountId);
  checkEtag(account, etag);
  return account;
}

/**
 * Locks an account that may stop being an administrator's. All enabled administrators stay locked until the transaction
 * ends, so two of them cannot remove each other at the same time.
 */
export async function lockReplaceable({ accounts }: Repositories, { accountId, etag }: Named): Promise<Account> {
  const locked = await accounts.lockWithAdministrators(accountId);
  const account = locked.find((candidate) => candidate.id === accountId);
  if (account === undefined) throw userNotFound(accountId);
  checkEtag(account, etag);
  const isOnlyOne = !locked.some((other) => other.id !== accountId && other.isEnabledAdministrator());
  if (account.isEnabledAdministrator() && isOnlyOne) throw lastAdministrator(accountId);
  return account;
}
