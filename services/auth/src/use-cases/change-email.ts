import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import type { Account } from '../domain/account.entity.ts';
import { checkCurrentPassword, lockChecked } from './check-current-password.ts';
import { lockCallersSessions } from './lock-callers-sessions.ts';

export interface ChangeEmailInput {
  currentPassword: string;
  newEmail: string;
}

type Needs = Pick<AuthDeps, 'uow' | 'passwords' | 'passwordGuard' | 'clock' | 'logger' | 'profileDelivery'>;

/** Sets a new e-mail to sign in with; the copy in users follows. That it is nobody else's is decided by the unique index. */
export async function changeEmail(deps: Needs, actor: UserActor, input: ChangeEmailInput): Promise<Account> {
  const { uow, clock, logger, profileDelivery } = deps;
  const checked = await checkCurrentPassword(deps, actor, input.currentPassword);
  const { account, isChanged } = await uow.run(async (repositories) => {
    const now = clock.now();
    const current = await lockChecked(repositories, checked);
    await lockCallersSessions(repositories, actor, now);
    const changed = current.changeEmail(input.newEmail, now);
    if (changed) repositories.profiles.upsert(current);
    return { account: current, isChanged: changed };
  });
  if (!isChanged) return account;
  logger.info({ audit: 'email_changed', accountId: account.id }, 'e-mail changed');
  await profileDelivery.waitForFirstAttempt(account.id);
  return account;
}
