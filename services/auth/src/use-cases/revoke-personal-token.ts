import { RevokePersonalTokenRequest, RevokePersonalTokenResponse } from '#contract/auth/v1/auth';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { personalTokenNotFound } from '../domain/auth.errors.ts';
import { toPersonalTokenMessage } from '../domain/personal-token.columns.ts';
import { Revocation } from '../domain/revocation.entity.ts';
import { ofToken } from './audited.ts';
import { endingOf, onceFor, type Change } from './repeatable.ts';

type Deps = Pick<AuthDeps, 'uow' | 'clock' | 'requestFingerprints'>;

const method = {
  name: 'RevokePersonalToken',
  request: RevokePersonalTokenRequest,
  response: RevokePersonalTokenResponse,
};

/** Ends a token of the caller, or for an administrator of anybody. Services that know it hear of it as of the end of a session. */
export async function revokePersonalToken(
  deps: Deps,
  actor: UserActor,
  input: Change<RevokePersonalTokenRequest>,
): Promise<RevokePersonalTokenResponse> {
  const { personalTokenId: id } = input;
  return endingOf(deps, input)(
    async ({ audit, personalTokens, revocations }) => {
      const token = await personalTokens.lock(id);
      const isAllowed = token?.accountId === actor.userId || actor.role === 'admin';
      if (token === undefined || !isAllowed) throw personalTokenNotFound(id);
      const now = deps.clock.now();
      if (token.revoke(now)) {
        revocations.add(Revocation.ofSession(id, now));
        await audit.add({ action: 'personal_token_revoked', ...ofToken(token) });
      }
      return { personalToken: toPersonalTokenMessage(token) };
    },
    onceFor(deps, actor, method, input),
  );
}
