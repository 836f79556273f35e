import type { TasksDeps } from '../deps.ts';

const batchSize = 1000;

/** Forgets a batch of recorded requests whose time is over; `again` = there may be more. */
export async function pruneRequests({ uow }: Pick<TasksDeps, 'uow'>): Promise<{ again: boolean }> {
  const pruned = await uow.run(({ requests }) => requests.prune(batchSize));
  return { again: pruned === batchSize };
}
