import type { UserActor } from '#libs/runtime';
import type { Account } from '../domain/account.entity.ts';
import { Revocation } from '../domain/revocation.entity.ts';
import { changeAccount, lockReplaceable, type AdministrationNeeds } from './change-account.ts';

/** Refuses an account everything: its sessions and its tokens end, and it cannot sign in. */
export function disableAccount(deps: AdministrationNeeds, actor: UserActor, { accountId }: { accountId: string }): Promise<Account> {
  return changeAccount(deps, actor, {
    accountId,
    audit: 'account_disabled',
    apply: async (repositories, now) => {
      const account = await lockReplaceable(repositories, accountId);
      const isChanged = account.disable(now);
      if (isChanged && account.tokensNotBefore != null) {
        for (const session of await repositories.sessions.lockAlive(accountId, now)) session.revoke('account_disabled', now);
        repositories.revocations.add(Revocation.ofAccount(account.id, account.tokensNotBefore));
      }
      return { account, isChanged };
    },
  });
}
