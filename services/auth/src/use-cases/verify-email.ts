import type { VerifyEmailResponse } from '#contract/auth/v1/auth';
import { crashPoint } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { toAccountMessage } from '../domain/account.columns.ts';
import { verificationInvalid } from '../domain/auth.errors.ts';
import { newNotice } from '../domain/mail.columns.ts';
import { ofAccount } from './audited.ts';
import { findUsableToken } from './find-usable-token.ts';

type Needs = Pick<AuthDeps, 'uow' | 'reader' | 'oneTimeTokens' | 'clock' | 'newId' | 'profileDelivery' | 'settings'>;

/**
 * Verifies an account's e-mail, or gives it the one that it asked for. Two accounts may have asked for the same: the
 * unique index decides.
 */
export async function verifyEmail(deps: Needs, { token }: { token: string }): Promise<VerifyEmailResponse> {
  const { uow, clock, newId, profileDelivery, settings } = deps;
  const verification = await findUsableToken(deps, token, ['email_verification', 'email_change']);
  if (verification === undefined) throw verificationInvalid();
  const noticeId = newId();
  const account = await uow.run(async ({ audit, accounts, accountTokens, mails, profiles }) => {
    const now = clock.now();
    const locked = await accounts.lock(verification.accountId);
    if (locked === undefined || !locked.enabled || !(await accountTokens.use(verification, now)))
      throw verificationInvalid();
    const { id, email: oldEmail } = locked;
    const changed = locked.changeEmail(verification.email, now);
    locked.verifyEmail(now);
    if (changed) {
      // What was mailed to the old address does nothing from now on.
      await accountTokens.endAll(id);
      const notice = { kind: 'email_changed', newEmail: locked.email } as const;
      if (settings.recovery.sendsMail)
        mails.send(newNotice({ id: noticeId, accountId: id, email: oldEmail }, notice, now));
    }
    await audit.add({ action: changed ? 'email_changed' : 'email_verified', ...ofAccount(locked) });
    profiles.upsert(locked);
    crashPoint('verify.before-commit');
    return locked;
  });
  crashPoint('verify.after-commit');
  await profileDelivery.waitForFirstAttempt(account.id);
  return { account: toAccountMessage(account) };
}
