import type { UserActor } from '#libs/runtime';
import { EnableAccountRequest, EnableAccountResponse } from '#contract/auth/v1/auth';
import { changeAccount, lockAccount, type AdministrationNeeds } from './change-account.ts';
import { onceFor, type Change } from './repeatable.ts';

const method = { name: 'EnableAccount', request: EnableAccountRequest, response: EnableAccountResponse };

/** Lets a disabled account sign in again; its old sessions stay ended. */
export function enableAccount(
  deps: AdministrationNeeds,
  actor: UserActor,
  input: Change<EnableAccountRequest>,
): Promise<EnableAccountResponse> {
  return changeAccount(deps, {
    once: onceFor(deps, actor, method, input),
    validateOnly: input.validateOnly,
    audit: 'account_enabled',
    apply: async (repositories, now) => {
      const account = await lockAccount(repositories, input);
      return { account, isChanged: account.enable(now) };
    },
  });
}
