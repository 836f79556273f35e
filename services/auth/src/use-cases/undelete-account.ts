import type { UserActor } from '#libs/runtime';
import { UndeleteAccountRequest, UndeleteAccountResponse } from '#contract/auth/v1/auth';
import { userNotFound } from '../domain/auth.errors.ts';
import { changeAccount, lockAccount, type AdministrationNeeds } from './change-account.ts';
import { onceFor, type Change } from './repeatable.ts';

const method = { name: 'UndeleteAccount', request: UndeleteAccountRequest, response: UndeleteAccountResponse };

/** Undoes the deletion of an account, until its removal begins. */
export function undeleteAccount(
  deps: AdministrationNeeds,
  actor: UserActor,
  input: Change<UndeleteAccountRequest>,
): Promise<UndeleteAccountResponse> {
  return changeAccount(deps, {
    once: onceFor(deps, actor, method, input),
    validateOnly: input.validateOnly,
    audit: 'deletion_undone',
    apply: async (repositories, now) => {
      const account = await lockAccount(repositories, input);
      if (await repositories.deletions.hasBegun(account.id)) throw userNotFound(account.id);
      return { account, isChanged: account.undelete(now) };
    },
  });
}
