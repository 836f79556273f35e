import type { SchedulerDeps } from '../../deps.ts';

const batchSize = 1_000;

/** Deletes recorded requests whose time is over. */
export async function pruneRequests({ uow }: Pick<SchedulerDeps, 'uow'>): Promise<{ again: boolean }> {
  const pruned = await uow.run(({ requests }) => requests.prune(batchSize));
  return { again: pruned === batchSize };
}
