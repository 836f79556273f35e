import type { ReclaimAccountResponse } from '#contract/auth/v1/auth';
import { toMailbox } from '#libs/text';
import type { AuthDeps } from '../deps.ts';
import { toAccountMessage } from '../domain/account.columns.ts';
import type { Account } from '../domain/account.entity.ts';
import { credentialsInvalid } from '../domain/auth.errors.ts';
import { ofAccount } from './audited.ts';
import type { LoginInput } from './login.ts';

type Needs = Pick<AuthDeps, 'uow' | 'reader' | 'passwords' | 'passwordGuard' | 'audit' | 'clock' | 'profileDelivery'>;

/** Takes back an account that its person has deleted. Everything else is answered as a wrong password is. */
export function reclaimAccount(deps: Needs, input: LoginInput): Promise<ReclaimAccountResponse> {
  return deps.passwordGuard.guard(`email:${toMailbox(input.email)}`, () => reclaim(deps, input));
}

async function reclaim(deps: Needs, { email, password }: LoginInput): Promise<ReclaimAccountResponse> {
  const { reader, passwords, clock, audit, profileDelivery } = deps;
  const found = await reader.findAccountByEmail(email);
  const { matches } = await passwords.verify(found?.passwordHash, password);
  if (found === undefined || !matches || !(found.enabled || found.isReclaimable(clock.now()))) {
    const subject = found === undefined ? {} : ofAccount(found);
    await audit.record({ action: 'deletion_undone', refusal: 'CREDENTIALS_INVALID', ...subject });
    throw credentialsInvalid();
  }
  const { account, isChanged } = await undelete(deps, found);
  if (isChanged) await profileDelivery.waitForFirstAttempt(account.id);
  return { account: toAccountMessage(account) };
}

function undelete({ uow, clock }: Needs, found: Account): Promise<{ account: Account; isChanged: boolean }> {
  return uow.run(async ({ accounts, deletions, profiles, audit }) => {
    const now = clock.now();
    const account = await accounts.lock(found.id);
    if (account?.passwordVersion !== found.passwordVersion) throw credentialsInvalid();
    if (account.enabled) return { account, isChanged: false };
    if (!account.isReclaimable(now) || (await deletions.hasBegun(account.id))) throw credentialsInvalid();
    account.undelete(now);
    profiles.upsert(account);
    await audit.add({ action: 'deletion_undone', ...ofAccount(account) });
    return { account, isChanged: true };
  });
}
