import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { sessionNotFound } from '../domain/auth.errors.ts';
import { endSessions } from './end-sessions.ts';

/** Ends one of the caller's sessions, also the one of the call. Repeating it changes nothing. */
export async function revokeSession({ uow, clock }: Pick<AuthDeps, 'uow' | 'clock'>, actor: UserActor, { sessionId }: { sessionId: string }): Promise<void> {
  await uow.run(async (repositories) => {
    const session = await repositories.sessions.lockOwned(sessionId, actor.userId);
    if (session === undefined) throw sessionNotFound(sessionId);
    endSessions(repositories, [session], { reason: 'revoked', now: clock.now() });
  });
}
