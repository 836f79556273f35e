import type { UserActor } from '#libs/runtime';
import { ChangePasswordRequest, ChangePasswordResponse } from '#contract/auth/v1/auth';
import type { AuthDeps } from '../deps.ts';
import { toAccountMessage } from '../domain/account.columns.ts';
import { newNotice } from '../domain/mail.columns.ts';
import { ofAccount } from './audited.ts';
import { changeOrRecall, checkCurrentPassword, lockChecked } from './check-current-password.ts';
import { endSessions } from './end-sessions.ts';
import { lockCallersSessions } from './lock-callers-sessions.ts';
import { endingOf, onceFor, type Change } from './repeatable.ts';

type Needs = Pick<
  AuthDeps,
  'uow' | 'reader' | 'passwords' | 'passwordGuard' | 'clock' | 'newId' | 'audit' | 'requestFingerprints' | 'settings'
>;

const method = { name: 'ChangePassword', request: ChangePasswordRequest, response: ChangePasswordResponse };

/** Sets a new password and ends the other sessions, which may have been opened with the old one. */
export function changePassword(
  deps: Needs,
  actor: UserActor,
  input: Change<ChangePasswordRequest>,
): Promise<ChangePasswordResponse> {
  const { passwords, clock, newId, settings } = deps;
  const once = onceFor(deps, actor, method, input);
  return changeOrRecall(deps, once, async () => {
    const checked = await checkCurrentPassword(deps, actor, input.currentPassword);
    const passwordHash = await passwords.hash(input.newPassword);
    const noticeId = newId();
    return endingOf(deps, input)(async (repositories) => {
      const now = clock.now();
      const account = await lockChecked(repositories, checked, input.etag);
      const { others } = await lockCallersSessions(repositories, actor, now);
      account.changePassword(passwordHash, now);
      // Somebody else may have asked for a reset, or, knowing the old password, for another e-mail.
      await repositories.accountTokens.end(account.id, 'password_reset', 'email_change');
      if (settings.recovery.sendsMail)
        repositories.mails.send(
          newNotice({ id: noticeId, accountId: account.id, email: account.email }, { kind: 'password_changed' }, now),
        );
      const endedCount = endSessions(repositories, others, { reason: 'password_changed', now });
      const details = { ended_sessions: String(endedCount) };
      await repositories.audit.add({ action: 'password_changed', ...ofAccount(account), details });
      return { account: toAccountMessage(account) };
    }, once);
  });
}
