import type { UserActor } from '#libs/runtime';
import type { AuthDeps, Repositories } from '../deps.ts';
import type { Account } from '../domain/account.entity.ts';
import { lastAdministrator, userNotFound } from '../domain/auth.errors.ts';

export type AdministrationNeeds = Pick<AuthDeps, 'uow' | 'clock' | 'logger' | 'profileDelivery'>;

export interface AccountChange {
  accountId: string;
  /** For the log: "role_changed". */
  audit: string;
  /** Locks and changes the account; says whether anything changed. May run more than once. */
  apply(repositories: Repositories, now: Date): Promise<{ account: Account; isChanged: boolean }>;
}

/** Carries out an administrator's change of an account, and lets the copy in users follow. */
export async function changeAccount(deps: AdministrationNeeds, actor: UserActor, change: AccountChange): Promise<Account> {
  const { uow, clock, logger, profileDelivery } = deps;
  const { account, isChanged } = await uow.run(async (repositories) => {
    const outcome = await change.apply(repositories, clock.now());
    if (outcome.isChanged) repositories.profiles.upsert(outcome.account);
    return outcome;
  });
  if (!isChanged) return account;
  const { id: accountId, role, enabled } = account;
  logger.info({ audit: change.audit, accountId, role, enabled, by: actor.userId }, 'account changed by an administrator');
  await profileDelivery.waitForFirstAttempt(account.id);
  return account;
}

export async function lockAccount({ accounts }: Repositories, id: string): Promise<Account> {
  const account = await accounts.lock(id);
  if (account === undefined) throw userNotFound(id);
  return account;
}

/**
 * Locks an account that may stop being an administrator's. All enabled administrators stay locked until the transaction
 * ends, so two of them cannot remove each other at the same time.
 */
export async function lockReplaceable({ accounts }: Repositories, id: string): Promise<Account> {
  const locked = await accounts.lockWithAdministrators(id);
  const account = locked.find((candidate) => candidate.id === id);
  if (account === undefined) throw userNotFound(id);
  const isOnlyOne = !locked.some((other) => other.id !== id && other.isEnabledAdministrator());
  if (account.isEnabledAdministrator() && isOnlyOne) throw lastAdministrator(id);
  return account;
}
