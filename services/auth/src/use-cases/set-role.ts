import type { UserActor } from '#libs/runtime';
import { SetRoleRequest, SetRoleResponse } from '#contract/auth/v1/auth';
import type { AccountRole } from '../domain/account.columns.ts';
import { Revocation } from '../domain/revocation.entity.ts';
import type { AuthDeps } from '../deps.ts';
import { changeAccount, lockAccount, lockReplaceable, type AdministrationNeeds } from './change-account.ts';
import { onceFor, recallForEnded, type Change } from './repeatable.ts';

type SetRoleInput = Omit<Change<SetRoleRequest>, 'role'> & { role: AccountRole };

const method = { name: 'SetRole', request: SetRoleRequest, response: SetRoleResponse };

/** Sets a role. Tokens with the old one end; the sessions stay, and their next refresh gives the new one. */
export function setRole(
  deps: AdministrationNeeds & Pick<AuthDeps, 'reader'>,
  actor: UserActor,
  input: SetRoleInput,
): Promise<SetRoleResponse> {
  const once = onceFor(deps, actor, method, input);
  if (actor.ended === true) return recallForEnded(deps, once);
  const { role, validateOnly } = input;
  const lock = role === 'admin' ? lockAccount : lockReplaceable;
  return changeAccount(deps, {
    once,
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
