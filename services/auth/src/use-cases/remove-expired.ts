import type { AuthDeps } from '../deps.ts';

const batchSize = 1000;
// Expired sessions stay visible to their owner, and their tokens recognisable, for a while.
const sessionsKeptMs = 7 * 24 * 3_600_000;

/**
 * Removes a batch each of sessions that expired long ago, of revocations whose tokens have all expired by themselves
 * and of recorded requests that are older than 24 hours. `again`: there may be more.
 */
export async function removeExpired({ uow, clock }: Pick<AuthDeps, 'uow' | 'clock'>): Promise<{ again: boolean }> {
  const now = clock.now();
  const before = new Date(now.getTime() - sessionsKeptMs);
  const counts = [
    await uow.run(({ sessions }) => sessions.removeExpired(before, batchSize)),
    await uow.run(({ revocations }) => revocations.removeExpired(now, batchSize)),
    await uow.run(({ requests }) => requests.prune(batchSize)),
  ];
  return { again: counts.includes(batchSize) };
}
