import type { UsersDeps } from '../deps.ts';

const batchSize = 1000;

/** Removes the recorded requests whose time is over. */
export async function pruneRequests({ uow }: Pick<UsersDeps, 'uow'>): Promise<void> {
  for (let pruned = batchSize; pruned === batchSize;)
    pruned = await uow.run(({ requests }) => requests.prune(batchSize));
}
