import type { UserActor } from '#libs/runtime';
import type { Repositories } from '../deps.ts';
import { callerEnded } from '../domain/auth.errors.ts';
import type { Session } from '../domain/session.entity.ts';

/**
 * Locks the living sessions of the caller. A session that has ended must not decide about the others, although its
 * access token may still be taken for a moment.
 */
export async function lockCallersSessions(
  { sessions }: Pick<Repositories, 'sessions'>,
  actor: UserActor,
  now: Date,
): Promise<{ others: Session[] }> {
  const alive = await sessions.lockAlive(actor.userId, now);
  const others = alive.filter((session) => session.id !== actor.sessionId);
  if (others.length === alive.length) throw callerEnded();
  return { others };
}
