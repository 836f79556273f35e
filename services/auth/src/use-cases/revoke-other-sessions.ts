import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { lockCallersSessions } from './lock-callers-sessions.ts';
import { endSessions } from './end-sessions.ts';

/** Ends all of the caller's sessions but the one of the call; says how many. */
export async function revokeOtherSessions({ uow, clock }: Pick<AuthDeps, 'uow' | 'clock'>, actor: UserActor): Promise<number> {
  return uow.run(async (repositories) => {
    const now = clock.now();
    const { others } = await lockCallersSessions(repositories, actor, now);
    return endSessions(repositories, others, { reason: 'revoked', now });
  });
}
