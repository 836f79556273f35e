import type { AuthDeps } from '../deps.ts';

const batchSize = 1000;

/** Removes one batch of revocations whose tokens have all expired by themselves; says whether there may be more. */
export async function removeExpiredRevocations({ uow, clock }: Pick<AuthDeps, 'uow' | 'clock'>): Promise<{ again: boolean }> {
  const removed = await uow.run(({ revocations }) => revocations.removeExpired(clock.now(), batchSize));
  return { again: removed === batchSize };
}
