import type { AuthDeps } from '../deps.ts';

const batchSize = 500;
// Expired sessions stay visible to their owner, and their tokens recognisable, for a while.
const keptMs = 7 * 24 * 3_600_000;

/** Removes one batch of long expired sessions; says whether there may be more. */
export async function removeExpiredSessions({ uow, clock }: Pick<AuthDeps, 'uow' | 'clock'>): Promise<{ again: boolean }> {
  const before = new Date(clock.now().getTime() - keptMs);
  const removed = await uow.run(({ sessions }) => sessions.removeExpired(before, batchSize));
  return { again: removed === batchSize };
}
