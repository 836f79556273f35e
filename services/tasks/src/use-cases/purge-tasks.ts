import type { TasksDeps } from '../deps.ts';

const batchSize = 1000;

/** Removes a batch of deleted tasks whose purge time is over, for good; their events stay. `again` = there may be more. */
export async function purgeTasks({ uow }: Pick<TasksDeps, 'uow'>): Promise<{ again: boolean }> {
  const purged = await uow.run(({ deletedTasks }) => deletedTasks.purge(batchSize));
  return { again: purged === batchSize };
}
