import type { UserActor } from '#libs/runtime';
import type { AuthDeps, Repositories } from '../deps.ts';
import type { Account } from '../domain/account.entity.ts';
import { callerEnded, passwordWrong } from '../domain/auth.errors.ts';

type Needs = Pick<AuthDeps, 'uow' | 'passwords' | 'passwordGuard'>;

/** The caller's account, when the password is its. */
export async function checkCurrentPassword({ uow, passwords, passwordGuard }: Needs, actor: UserActor, password: string): Promise<Account> {
  const account = await uow.run(({ accounts }) => accounts.find(actor.userId));
  if (account === undefined || !account.enabled) throw callerEnded();
  return passwordGuard.guard(`account:${account.id}`, async () => {
    if (!(await passwords.verify(account.passwordHash, password))) throw passwordWrong();
    return account;
  });
}

/** The same account in the transaction that changes it, locked; what was checked before has to be true still. */
export async function lockChecked({ accounts }: Pick<Repositories, 'accounts'>, checked: Account): Promise<Account> {
  const current = await accounts.lock(checked.id);
  if (current === undefined || !current.enabled) throw callerEnded();
  if (!current.hasPasswordOf(checked)) throw passwordWrong();
  return current;
}
