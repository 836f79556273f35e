import type { UserActor } from '#libs/runtime';
import { ChangeEmailRequest, ChangeEmailResponse } from '#contract/auth/v1/auth';
import type { AuthDeps } from '../deps.ts';
import { toAccountMessage } from '../domain/account.columns.ts';
import { changeOrRecall, checkCurrentPassword, lockChecked } from './check-current-password.ts';
import { lockCallersSessions } from './lock-callers-sessions.ts';
import { endingOf, onceFor, type Change } from './repeatable.ts';

type Needs = Pick<
  AuthDeps,
  | 'uow'
  | 'reader'
  | 'passwords'
  | 'passwordGuard'
  | 'clock'
  | 'audit'
  | 'logger'
  | 'profileDelivery'
  | 'requestFingerprints'
>;

const method = { name: 'ChangeEmail', request: ChangeEmailRequest, response: ChangeEmailResponse };

/** Sets a new e-mail to sign in with; the copy in users follows. The unique index decides that it is nobody else's. */
export function changeEmail(
  deps: Needs,
  actor: UserActor,
  input: Change<ChangeEmailRequest>,
): Promise<ChangeEmailResponse> {
  const { clock, logger, profileDelivery } = deps;
  const once = onceFor(deps, actor, method, input);
  return changeOrRecall(deps, once, async () => {
    const checked = await checkCurrentPassword(deps, actor, input.currentPassword);
    let isChanged = false;
    const response = await endingOf(deps, input)(async (repositories) => {
      const now = clock.now();
      const account = await lockChecked(repositories, checked, input.etag);
      await lockCallersSessions(repositories, actor, now);
      isChanged = account.changeEmail(input.newEmail, now);
      if (isChanged) repositories.profiles.upsert(account);
      return { account: toAccountMessage(account) };
    }, once);
    if (!isChanged || input.validateOnly) return response;
    logger.info({ audit: 'email_changed', accountId: checked.id }, 'e-mail changed');
    await profileDelivery.waitForFirstAttempt(checked.id);
    return response;
  });
}
