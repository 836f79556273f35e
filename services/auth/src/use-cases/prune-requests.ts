import type { AuthDeps } from '../deps.ts';

const batchSize = 1000;

/** Forgets a batch of recorded requests whose time is over; says whether there may be more. */
export async function pruneRequests({ uow }: Pick<AuthDeps, 'uow'>): Promise<{ again: boolean }> {
  const pruned = await uow.run(({ requests }) => requests.prune(batchSize));
  return { again: pruned === batchSize };
}
