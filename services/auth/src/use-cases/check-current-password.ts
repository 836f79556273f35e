import type { Once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps, Repositories } from '../deps.ts';
import type { Account } from '../domain/account.entity.ts';
import { callerEnded, isWrongPassword, passwordWrong } from '../domain/auth.errors.ts';
import { ofAccount } from './audited.ts';
import { checkEtag } from './change-account.ts';

type Needs = Pick<AuthDeps, 'reader' | 'passwords' | 'passwordGuard' | 'audit'>;

/** The caller's account. Throws PASSWORD_WRONG unless the password is its. */
export async function checkCurrentPassword(
  { reader, passwords, passwordGuard, audit }: Needs,
  actor: UserActor,
  password: string,
): Promise<Account> {
  const account = await reader.findAccount(actor.userId);
  if (account === undefined || !account.enabled) throw callerEnded();
  return passwordGuard.guard(`account:${account.id}`, async () => {
    const { matches } = await passwords.verify(account.passwordHash, password);
    if (matches) return account;
    await audit.record({ action: 'password_checked', refusal: 'PASSWORD_WRONG', ...ofAccount(account) });
    throw passwordWrong();
  });
}

/** Locks the account for its change and checks again what was checked before the transaction. */
export async function lockChecked(
  { accounts }: Pick<Repositories, 'accounts'>,
  checked: Account,
  etag: string,
): Promise<Account> {
  const current = await accounts.lock(checked.id);
  if (current === undefined || !current.enabled) throw callerEnded();
  if (!current.hasPasswordOf(checked)) throw passwordWrong();
  checkEtag(current, etag);
  return current;
}

/**
 * Makes a change that checks the current password, or recalls the answer of an earlier call with the same key. A
 * repeat of ChangePassword still sends the old password, which is wrong by then.
 */
export async function changeOrRecall<T>(
  { reader }: Pick<AuthDeps, 'reader'>,
  once: Once<T>,
  change: () => Promise<T>,
): Promise<T> {
  const earlier = await reader.recall(once);
  if (earlier !== undefined) return earlier;
  try {
    return await change();
  } catch (error) {
    // The first call may have finished while this one was checking the password.
    const meanwhile = isWrongPassword(error) ? await reader.recall(once) : undefined;
    if (meanwhile === undefined) throw error;
    return meanwhile;
  }
}
