import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import type { Session } from '../domain/session.entity.ts';

/** The caller's sessions that can still be refreshed, the last used first. */
export function listSessions({ uow, clock }: Pick<AuthDeps, 'uow' | 'clock'>, actor: UserActor): Promise<Session[]> {
  return uow.run(({ sessions }) => sessions.listAlive(actor.userId, clock.now()));
}
