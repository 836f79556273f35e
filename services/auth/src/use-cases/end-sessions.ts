import type { Repositories } from '../deps.ts';
import { Revocation } from '../domain/revocation.entity.ts';
import type { RevokeReason } from '../domain/session.columns.ts';
import type { Session } from '../domain/session.entity.ts';

interface Ending {
  reason: RevokeReason;
  now: Date;
}

/** Ends locked sessions, and with them the access tokens that they gave; says how many had not ended before. */
export function endSessions(
  { revocations }: Pick<Repositories, 'revocations'>,
  sessions: readonly Session[],
  { reason, now }: Ending,
): number {
  const ended = sessions.filter((session) => session.revoke(reason, now));
  revocations.add(...ended.map((session) => Revocation.ofSession(session.id, now)));
  return ended.length;
}
