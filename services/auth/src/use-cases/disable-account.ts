import type { UserActor } from '#libs/runtime';
import { DisableAccountRequest, DisableAccountResponse } from '#contract/auth/v1/auth';
import type { AuthDeps } from '../deps.ts';
import { changeAccount, lockReplaceable, type AdministrationNeeds } from './change-account.ts';
import { endAllSessions } from './end-all-sessions.ts';
import { onceFor, recallForEnded, type Change } from './repeatable.ts';

const method = { name: 'DisableAccount', request: DisableAccountRequest, response: DisableAccountResponse };

/** Ends the sessions and tokens of an account and refuses to sign it in. */
export function disableAccount(
  deps: AdministrationNeeds & Pick<AuthDeps, 'reader'>,
  actor: UserActor,
  input: Change<DisableAccountRequest>,
): Promise<DisableAccountResponse> {
  const once = onceFor(deps, actor, method, input);
  if (actor.ended === true) return recallForEnded(deps, once);
  return changeAccount(deps, {
    once,
    validateOnly: input.validateOnly,
    audit: 'account_disabled',
    apply: async (repositories, now) => {
      const account = await lockReplaceable(repositories, input);
      const isChanged = account.disable(now);
      if (isChanged) await endAllSessions(repositories, account, { reason: 'account_disabled', now });
      return { account, isChanged };
    },
  });
}
