import { CreateServiceAccountRequest, CreateServiceAccountResponse } from '#contract/auth/v1/auth';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { toAccountMessage } from '../domain/account.columns.ts';
import { Account } from '../domain/account.entity.ts';
import { ofAccount } from './audited.ts';
import { endingOf, onceFor, type Change } from './repeatable.ts';

type Deps = Pick<AuthDeps, 'uow' | 'clock' | 'newId' | 'profileDelivery' | 'requestFingerprints'>;

const method = {
  name: 'CreateServiceAccount',
  request: CreateServiceAccountRequest,
  response: CreateServiceAccountResponse,
};

/** Creates an account for programs, and lets its profile in users follow. */
export async function createServiceAccount(
  deps: Deps,
  actor: UserActor,
  input: Change<CreateServiceAccountRequest>,
): Promise<CreateServiceAccountResponse> {
  const { clock, newId, profileDelivery } = deps;
  const { displayName: registeredName, validateOnly } = input;
  const id = newId();
  const response = await endingOf(deps, input)(
    async ({ audit, accounts, profiles }) => {
      const account = Account.createForService({ id, registeredName }, clock.now());
      accounts.add(account);
      profiles.upsert(account);
      await audit.add({ action: 'service_account_created', ...ofAccount(account) });
      return { account: toAccountMessage(account) };
    },
    onceFor(deps, actor, method, input),
  );
  if (validateOnly || response.account?.id !== id) return response;
  await profileDelivery.waitForFirstAttempt(id);
  return response;
}
