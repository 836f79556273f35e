import type { UserActor } from '#libs/runtime';
import { DisableAccountRequest, DisableAccountResponse } from '#contract/auth/v1/auth';
import { Revocation } from '../domain/revocation.entity.ts';
import { changeAccount, lockReplaceable, type AdministrationNeeds } from './change-account.ts';
import { onceFor, type Change } from './repeatable.ts';

const method = { name: 'DisableAccount', request: DisableAccountRequest, response: DisableAccountResponse };

/** Ends the sessions and tokens of an account and refuses to sign it in. */
export function disableAccount(
  deps: AdministrationNeeds,
  actor: UserActor,
  input: Change<DisableAccountRequest>,
): Promise<DisableAccountResponse> {
  return changeAccount(deps, {
    once: onceFor(deps, actor, method, input),
    validateOnly: input.validateOnly,
    audit: 'account_disabled',
    apply: async (repositories, now) => {
      const account = await lockReplaceable(repositories, input);
      const isChanged = account.disable(now);
      if (isChanged && account.tokensNotBefore != null) {
        for (const session of await repositories.sessions.lockAlive(account.id, now))
          session.revoke('account_disabled', now);
        repositories.revocations.add(Revocation.ofAccount(account.id, account.tokensNotBefore));
      }
      return { account, isChanged };
    },
  });
}
