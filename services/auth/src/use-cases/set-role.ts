import type { UserActor } from '#libs/runtime';
import type { Account, AccountRole } from '../domain/account.entity.ts';
import { Revocation } from '../domain/revocation.entity.ts';
import { changeAccount, lockAccount, lockReplaceable, type AdministrationNeeds } from './change-account.ts';

export interface SetRoleInput {
  accountId: string;
  role: AccountRole;
}

/** Sets a role. Tokens with the old one end; the sessions stay, and their next refresh gives the new one. */
export function setRole(deps: AdministrationNeeds, actor: UserActor, { accountId, role }: SetRoleInput): Promise<Account> {
  const lock = role === 'admin' ? lockAccount : lockReplaceable;
  return changeAccount(deps, actor, {
    accountId,
    audit: 'role_changed',
    apply: async (repositories, now) => {
      const account = await lock(repositories, accountId);
      const isChanged = account.setRole(role, now);
      if (isChanged && account.tokensNotBefore != null) repositories.revocations.add(Revocation.ofAccount(account.id, account.tokensNotBefore));
      return { account, isChanged };
    },
  });
}
