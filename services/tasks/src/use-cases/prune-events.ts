import type { TasksDeps } from '../deps.ts';

const batchSize = 500;

/** Forgets a batch of events that are older than they need to be kept; `again` = there may be more. */
export async function pruneEvents({ uow, keepEventsMs }: Pick<TasksDeps, 'uow' | 'keepEventsMs'>): Promise<{ again: boolean }> {
  const pruned = await uow.run(({ events }) => events.prune(keepEventsMs, batchSize));
  return { again: pruned === batchSize };
}
