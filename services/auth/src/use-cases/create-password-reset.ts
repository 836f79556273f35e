import { CreatePasswordResetRequest, CreatePasswordResetResponse } from '#contract/auth/v1/auth';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { toPasswordResetMessage } from '../domain/account-token.columns.ts';
import { accountDisabled, resetInvalid, userNotFound } from '../domain/auth.errors.ts';
import { ofAccount } from './audited.ts';
import { makeAccountToken } from './make-account-token.ts';
import { recordingHash } from './recording-hash.ts';
import { endingOf, onceFor, type Change } from './repeatable.ts';

type Needs = Pick<AuthDeps, 'uow' | 'clock' | 'newId' | 'oneTimeTokens' | 'settings' | 'requestFingerprints'>;

/**
 * Makes a token for a person who gets no mail. It is in the answer and nowhere else: what is stored is its hash. A
 * repeat shows it again, also when it has ended meanwhile: it tells what the call has done.
 */
export async function createPasswordReset(
  deps: Needs,
  actor: UserActor,
  input: Change<CreatePasswordResetRequest>,
): Promise<CreatePasswordResetResponse> {
  const { accountId } = input;
  const { token, valuesFor } = makeAccountToken(deps, 'password_reset');
  return endingOf(deps, input)(
    async ({ audit, accounts, accountTokens }) => {
      const account = await accounts.lock(accountId);
      if (account === undefined) throw userNotFound(accountId);
      account.requirePerson();
      if (!account.enabled) throw accountDisabled(accountId);
      const values = valuesFor(account, { mailed: false });
      await accountTokens.replace(values);
      await audit.add({ action: 'password_reset_created', ...ofAccount(account) });
      return { reset: toPasswordResetMessage(values), token };
    },
    onceFor(deps, actor, methodOf(deps), input),
  );
}

function methodOf(deps: Pick<AuthDeps, 'oneTimeTokens'>) {
  const response = recordingHash(deps, CreatePasswordResetResponse, {
    kind: 'passwordReset',
    idOf: ({ reset }) => reset?.id ?? '',
    lost: resetInvalid,
  });
  return { name: 'CreatePasswordReset', request: CreatePasswordResetRequest, response };
}
