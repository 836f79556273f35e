import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { checkCurrentPassword, lockChecked } from './check-current-password.ts';
import { endSessions } from './end-sessions.ts';
import { lockCallersSessions } from './lock-callers-sessions.ts';

export interface ChangePasswordInput {
  currentPassword: string;
  newPassword: string;
}

type Needs = Pick<AuthDeps, 'uow' | 'passwords' | 'passwordGuard' | 'clock' | 'logger'>;

/** Sets a new password. Whoever is signed in elsewhere, perhaps with the old one, has to sign in again. */
export async function changePassword(deps: Needs, actor: UserActor, input: ChangePasswordInput): Promise<void> {
  const { uow, passwords, clock, logger } = deps;
  const checked = await checkCurrentPassword(deps, actor, input.currentPassword);
  const passwordHash = await passwords.hash(input.newPassword);
  const endedCount = await uow.run(async (repositories) => {
    const now = clock.now();
    const account = await lockChecked(repositories, checked);
    const { others } = await lockCallersSessions(repositories, actor, now);
    account.changePassword(passwordHash, now);
    return endSessions(repositories, others, { reason: 'password_changed', now });
  });
  logger.info({ audit: 'password_changed', accountId: checked.id, endedCount }, 'password changed');
}
