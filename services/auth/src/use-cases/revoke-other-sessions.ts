import type { UserActor } from '#libs/runtime';
import { RevokeOtherSessionsRequest, RevokeOtherSessionsResponse } from '#contract/auth/v1/auth';
import type { AuthDeps } from '../deps.ts';
import { ofAccount } from './audited.ts';
import { endSessions } from './end-sessions.ts';
import { lockCallersSessions } from './lock-callers-sessions.ts';
import { endingOf, onceFor, type Change } from './repeatable.ts';

const method = {
  name: 'RevokeOtherSessions',
  request: RevokeOtherSessionsRequest,
  response: RevokeOtherSessionsResponse,
};

/** Ends all of the caller's sessions but the one of the call; says how many. */
export function revokeOtherSessions(
  deps: Pick<AuthDeps, 'uow' | 'clock' | 'requestFingerprints'>,
  actor: UserActor,
  input: Change<RevokeOtherSessionsRequest>,
): Promise<RevokeOtherSessionsResponse> {
  return endingOf(deps, input)(
    async (repositories) => {
      const now = deps.clock.now();
      const { others } = await lockCallersSessions(repositories, actor, now);
      const revokedCount = endSessions(repositories, others, { reason: 'revoked', now });
      const details = { ended_sessions: String(revokedCount) };
      await repositories.audit.add({ action: 'other_sessions_revoked', ...ofAccount({ id: actor.userId }), details });
      return { revokedCount };
    },
    onceFor(deps, actor, method, input),
  );
}
