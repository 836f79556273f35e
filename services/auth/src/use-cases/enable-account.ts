import type { UserActor } from '#libs/runtime';
import type { Account } from '../domain/account.entity.ts';
import { changeAccount, lockAccount, type AdministrationNeeds } from './change-account.ts';

/** Lets a disabled account sign in again; its old sessions stay ended. */
export function enableAccount(deps: AdministrationNeeds, actor: UserActor, { accountId }: { accountId: string }): Promise<Account> {
  return changeAccount(deps, actor, {
    accountId,
    audit: 'account_enabled',
    apply: async (repositories, now) => {
      const account = await lockAccount(repositories, accountId);
      return { account, isChanged: account.enable(now) };
    },
  });
}
