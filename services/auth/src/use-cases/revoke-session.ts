import type { UserActor } from '#libs/runtime';
import { RevokeSessionRequest, RevokeSessionResponse } from '#contract/auth/v1/auth';
import type { AuthDeps } from '../deps.ts';
import { sessionChanged, sessionNotFound } from '../domain/auth.errors.ts';
import { sessionEtag } from '../domain/session.columns.ts';
import { ofSession } from './audited.ts';
import { endSessions } from './end-sessions.ts';
import { endingOf, onceFor, recallForEnded, type Change } from './repeatable.ts';

const method = { name: 'RevokeSession', request: RevokeSessionRequest, response: RevokeSessionResponse };

/** Ends one of the caller's sessions, also the one of the call. Repeating it changes nothing. */
export function revokeSession(
  deps: Pick<AuthDeps, 'uow' | 'reader' | 'clock' | 'requestFingerprints'>,
  actor: UserActor,
  input: Change<RevokeSessionRequest>,
): Promise<RevokeSessionResponse> {
  const { sessionId, etag } = input;
  const once = onceFor(deps, actor, method, input);
  if (actor.ended === true) return recallForEnded(deps, once);
  return endingOf(deps, input)(async (repositories) => {
    const session = await repositories.sessions.lockOwned(sessionId, actor.userId);
    if (session === undefined) throw sessionNotFound(sessionId);
    if (etag !== '' && etag !== sessionEtag(session)) throw sessionChanged(sessionId);
    if (endSessions(repositories, [session], { reason: 'revoked', now: deps.clock.now() }) > 0)
      await repositories.audit.add({ action: 'session_revoked', ...ofSession(session) });
    return {};
  }, once);
}
