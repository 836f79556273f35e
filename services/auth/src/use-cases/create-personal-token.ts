import { CreatePersonalTokenRequest, CreatePersonalTokenResponse } from '#contract/auth/v1/auth';
import { Scope } from '#contract/policy/v1/policy';
import { requestIdReused } from '#libs/errors';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps, Repositories } from '../deps.ts';
import type { Account } from '../domain/account.entity.ts';
import {
  adminScopeRefused,
  callerEnded,
  foreignTokens,
  serviceAccountRequired,
  tooManyPersonalTokens,
  userNotFound,
} from '../domain/auth.errors.ts';
import { toPersonalTokenMessage } from '../domain/personal-token.columns.ts';
import { PersonalToken } from '../domain/personal-token.entity.ts';
import { ofToken } from './audited.ts';
import { endingOf, onceFor, type Change } from './repeatable.ts';

type Deps = Pick<AuthDeps, 'uow' | 'clock' | 'newId' | 'personalTokens' | 'requestFingerprints'>;

type Input = Omit<Change<CreatePersonalTokenRequest>, 'scopes' | 'ttl'> & { scopes: Scope[]; ttl: number };

const maxValidTokens = 50;

/** Creates a token. It is in the answer and nowhere else: what is stored is its hash. */
export async function createPersonalToken(
  deps: Deps,
  actor: UserActor,
  input: Input,
): Promise<CreatePersonalTokenResponse> {
  const { clock, newId, personalTokens } = deps;
  const { name, scopes, ttl } = input;
  const id = newId();
  const { token, tokenHash, seed } = personalTokens.create();
  return endingOf(deps, input)(
    async (repositories) => {
      const account = await lockOwner(repositories, actor, input.accountId);
      const now = clock.now();
      if (scopes.includes(Scope.ADMIN) && account.role !== 'admin') throw adminScopeRefused();
      if ((await repositories.personalTokens.countValid(account.id, now)) >= maxValidTokens)
        throw tooManyPersonalTokens(maxValidTokens);
      const values = { id, accountId: account.id, name, scopes, tokenHash, creatorId: actor.userId };
      const created = PersonalToken.create(values, now, ttl);
      repositories.personalTokens.add(created);
      const details = { scopes: scopes.join(' ') };
      await repositories.audit.add({ action: 'personal_token_created', ...ofToken(created), details });
      return { personalToken: toPersonalTokenMessage(created), token };
    },
    onceFor(deps, actor, methodOf(personalTokens, { seed, tokenHash }), input),
  );
}

/** Locked, so that the tokens of the account are counted one after the other. */
async function lockOwner({ accounts }: Repositories, actor: UserActor, accountId: string): Promise<Account> {
  const id = accountId === '' ? actor.userId : accountId;
  if (id !== actor.userId && actor.role !== 'admin') throw foreignTokens();
  const account = await accounts.lock(id);
  if (account?.id === actor.userId && account.enabled) return account;
  if (id === actor.userId) throw callerEnded();
  if (account === undefined) throw userNotFound(id);
  if (!account.serviceAccount) throw serviceAccountRequired(id);
  return account;
}

/** The recorded answer holds in place of the token what it can be made from again, and its hash. */
function methodOf(
  personalTokens: AuthDeps['personalTokens'],
  { seed, tokenHash }: { seed: string; tokenHash: string },
) {
  const response = {
    encode: (answer: CreatePersonalTokenResponse) =>
      CreatePersonalTokenResponse.encode({ ...answer, token: `${seed}.${tokenHash}` }),
    decode: (bytes: Uint8Array): CreatePersonalTokenResponse => {
      const recorded = CreatePersonalTokenResponse.decode(bytes);
      const [recordedSeed = '', recordedHash = ''] = recorded.token.split('.');
      const token = personalTokens.recover(recordedSeed, recordedHash);
      // The key that it was derived by is gone, and so is the one that the request is compared by.
      if (token === undefined) throw requestIdReused();
      return { ...recorded, token };
    },
  };
  return { name: 'CreatePersonalToken', request: CreatePersonalTokenRequest, response };
}
