import type { TasksDeps } from '../deps.ts';

const batchSize = 1000;

/** Keeps what statistics read of a person short. `again` = there may be more. */
export async function addUpOverdue({ uow }: Pick<TasksDeps, 'uow'>): Promise<{ again: boolean }> {
  const persons = await uow.run(({ overdueCounts }) => overdueCounts.addUp(batchSize));
  return { again: persons === batchSize };
}
