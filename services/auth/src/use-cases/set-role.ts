import type { UserActor } from '#libs/runtime';
import { SetRoleRequest, SetRoleResponse } from '#contract/auth/v1/auth';
import type { AccountRole } from '../domain/account.columns.ts';
import { Revocation } from '../domain/revocation.entity.ts';
import { changeAccount, lockAccount, lockReplaceable, type AdministrationNeeds } from './change-account.ts';
import { onceFor, type Change } from './repeatable.ts';

type SetRoleInput = Omit<Change<SetRoleRequest>, 'role'> & { role: AccountRole };

const method = { name: 'SetRole', request: SetRoleRequest, response: SetRoleResponse };

/** Sets a role. Tokens with the old one end; the sessions stay, and their next refresh gives the new one. */
export function setRole(deps: AdministrationNeeds, actor: UserActor, input: SetRoleInput): Promise<SetRoleResponse> {
  const { role, validateOnly } = input;
  const lock = role === 'admin' ? lockAccount : lockReplaceable;
  return changeAccount(deps, {
    once: onceFor(deps, actor, method, input),
    validateOnly,
    audit: 'role_changed',
    apply: async (repositories, now) => {
      const account = await lock(repositories, input);
      const isChanged = account.setRole(role, now);
      if (isChanged && account.tokensNotBefore != null)
        repositories.revocations.add(Revocation.ofAccount(account.id, account.tokensNotBefore));
      return { account, isChanged };
    },
  });
}
