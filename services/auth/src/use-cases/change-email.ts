import type { UserActor } from '#libs/runtime';
import { ChangeEmailRequest, ChangeEmailResponse } from '#contract/auth/v1/auth';
import type { AuthDeps, Repositories } from '../deps.ts';
import { toAccountMessage } from '../domain/account.columns.ts';
import type { Account } from '../domain/account.entity.ts';
import { emailTaken, tooManyMails } from '../domain/auth.errors.ts';
import { newNotice } from '../domain/mail.columns.ts';
import { ofAccount } from './audited.ts';
import { changeOrRecall, checkCurrentPassword, lockChecked } from './check-current-password.ts';
import { lockCallersSessions } from './lock-callers-sessions.ts';
import { mailToken } from './mail-token.ts';
import { makeAccountToken } from './make-account-token.ts';
import { endingOf, onceFor, type Change } from './repeatable.ts';

type Needs = Pick<
  AuthDeps,
  | 'uow'
  | 'reader'
  | 'passwords'
  | 'passwordGuard'
  | 'clock'
  | 'newId'
  | 'audit'
  | 'oneTimeTokens'
  | 'profileDelivery'
  | 'requestFingerprints'
  | 'settings'
>;

const method = { name: 'ChangeEmail', request: ChangeEmailRequest, response: ChangeEmailResponse };

type Outcome = 'unchanged' | 'changed' | 'pending';

/**
 * Sets a new e-mail to sign in with; the copy in users follows. The unique index decides that it is nobody else's. Where
 * mail is sent, another mailbox has to be verified before.
 */
export function changeEmail(
  deps: Needs,
  actor: UserActor,
  input: Change<ChangeEmailRequest>,
): Promise<ChangeEmailResponse> {
  const { clock, profileDelivery } = deps;
  const once = onceFor(deps, actor, method, input);
  return changeOrRecall(deps, once, async () => {
    const checked = await checkCurrentPassword(deps, actor, input.currentPassword);
    const change = changeMaker(deps, input.newEmail);
    let outcome = 'unchanged' as Outcome;
    const response = await endingOf(deps, input)(async (repositories) => {
      const now = clock.now();
      const account = await lockChecked(repositories, checked, input.etag);
      await lockCallersSessions(repositories, actor, now);
      outcome = await change(repositories, account, now);
      if (outcome !== 'unchanged') await repositories.audit.add({ action: actionOf(outcome), ...ofAccount(account) });
      return { account: toAccountMessage(account), pendingEmail: outcome === 'pending' ? input.newEmail : '' };
    }, once);
    if (outcome === 'changed' && !input.validateOnly) await profileDelivery.waitForFirstAttempt(checked.id);
    return response;
  });
}

const actionOf = (outcome: Outcome): string => (outcome === 'pending' ? 'email_change_requested' : 'email_changed');

/** The change of a locked account, at once or after a verification. */
function changeMaker(deps: Needs, newEmail: string) {
  const ask = askForVerification(deps, newEmail);
  return async (repositories: Repositories, account: Account, now: Date): Promise<Outcome> => {
    if (deps.settings.recovery.sendsMail && !account.hasMailboxOf(newEmail)) {
      await ask(repositories, account, now);
      return 'pending';
    }
    // The last wish counts.
    await repositories.accountTokens.end(account.id, 'email_change');
    const isChanged = account.changeEmail(newEmail, now);
    if (!isChanged) return 'unchanged';
    // What was given out for the old address does nothing from now on.
    await repositories.accountTokens.endAll(account.id);
    repositories.profiles.upsert(account);
    return 'changed';
  };
}

const hourMs = 3_600_000;

function askForVerification(deps: Needs, newEmail: string) {
  const [mailId, noticeId] = [deps.newId(), deps.newId()];
  const verification = makeAccountToken(deps, 'email_change');
  return async (repositories: Repositories, { id, email }: Account, now: Date): Promise<void> => {
    if (await repositories.accounts.hasEmail(newEmail)) throw emailTaken();
    const token = verification.valuesFor({ id, email: newEmail }, { mailed: true });
    const { mailsPerHour } = deps.settings.recovery;
    if (!(await mailToken(repositories, token, { mailId, mailsPerHour }))) throw tooManyMails(hourMs);
    const notice = { kind: 'email_change_requested', newEmail } as const;
    repositories.mails.send(newNotice({ id: noticeId, accountId: id, email }, notice, now));
  };
}
