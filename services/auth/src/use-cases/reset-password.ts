import type { ResetPasswordResponse } from '#contract/auth/v1/auth';
import { crashPoint } from '#libs/runtime';
import { toMailbox } from '#libs/text';
import type { AuthDeps, Repositories } from '../deps.ts';
import type { AccountTokenValues } from '../domain/account-token.columns.ts';
import { toAccountMessage } from '../domain/account.columns.ts';
import type { Account } from '../domain/account.entity.ts';
import { resetInvalid } from '../domain/auth.errors.ts';
import { newNotice } from '../domain/mail.columns.ts';
import { ofAccount } from './audited.ts';
import { endAllSessions } from './end-all-sessions.ts';
import { findUsableToken } from './find-usable-token.ts';

type Needs = Pick<
  AuthDeps,
  | 'uow'
  | 'reader'
  | 'passwords'
  | 'passwordGuard'
  | 'oneTimeTokens'
  | 'clock'
  | 'newId'
  | 'profileDelivery'
  | 'settings'
>;

export interface ResetPasswordInput {
  token: string;
  newPassword: string;
}

/**
 * Sets a new password by a one-time token. Removing the token is part of the same transaction, so of many uses exactly
 * one has an effect.
 */
export async function resetPassword(
  deps: Needs,
  { token, newPassword }: ResetPasswordInput,
): Promise<ResetPasswordResponse> {
  const { uow, passwords, passwordGuard, clock, newId, profileDelivery, settings } = deps;
  // Only saves the hashing; the transaction decides.
  const reset = await findUsableToken(deps, token, ['password_reset']);
  if (reset === undefined) throw resetInvalid();
  const passwordHash = await passwords.hash(newPassword);
  const noticeId = newId();
  const { account, isShown } = await uow.run(async (repositories) => {
    const now = clock.now();
    const locked = await lockForReset(repositories, reset, now);
    const isChanged = await applyReset(repositories, locked, { reset, passwordHash, now });
    if (settings.recovery.sendsMail)
      repositories.mails.send(
        newNotice({ id: noticeId, accountId: locked.id, email: locked.email }, { kind: 'account_recovered' }, now),
      );
    if (isChanged) repositories.profiles.upsert(locked);
    const details = { came_by_mail: String(reset.mailed) };
    await repositories.audit.add({ action: 'password_reset', ...ofAccount(locked), details });
    crashPoint('reset.before-commit');
    return { account: locked, isShown: isChanged };
  });
  crashPoint('reset.after-commit');
  // Whoever forgot a password has tried wrong ones before.
  await passwordGuard.forget(`email:${toMailbox(account.email)}`);
  await passwordGuard.forget(`account:${account.id}`);
  if (isShown) await profileDelivery.waitForFirstAttempt(account.id);
  return { account: toAccountMessage(account) };
}

/** Locks the account and takes the reset away for its only use. */
async function lockForReset(
  { accounts, accountTokens }: Repositories,
  reset: AccountTokenValues,
  now: Date,
): Promise<Account> {
  const account = await accounts.lock(reset.accountId);
  if (account === undefined || !(account.enabled || reset.restoresAdministrator)) throw resetInvalid();
  if (!(await accountTokens.use(reset, now))) throw resetInvalid();
  return account;
}

/** Says whether anything changed that the profile shows. */
async function applyReset(
  repositories: Repositories,
  account: Account,
  { reset, passwordHash, now }: { reset: AccountTokenValues; passwordHash: string; now: Date },
): Promise<boolean> {
  const { restoresAdministrator, mailed, email } = reset;
  account.changePassword(passwordHash, now);
  const isRestored = restoresAdministrator && (await restore(repositories, account, now));
  const isShownToRead = restoresAdministrator || (mailed && account.hasMailboxOf(email));
  const isVerified = isShownToRead && account.verifyEmail(now);
  account.endTokens(now);
  await endAllSessions(repositories, account, { reason: 'password_changed', now });
  // An e-mail that somebody else asked for must not become the account's after this.
  await repositories.accountTokens.end(account.id, 'email_change');
  return isRestored || isVerified;
}

/** Makes the account an enabled administrator's again, and says so like the changes of administrators. */
async function restore({ audit }: Repositories, account: Account, now: Date): Promise<boolean> {
  const { role, enabled } = account;
  if (!account.restoreAdministrator(now)) return false;
  const details = { role: account.role, enabled: String(account.enabled) };
  if (role !== account.role) await audit.add({ action: 'role_changed', ...ofAccount(account), details });
  if (!enabled) await audit.add({ action: 'account_enabled', ...ofAccount(account), details });
  return true;
}
