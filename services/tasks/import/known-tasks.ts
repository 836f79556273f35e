import { inBatches, type TaskFlow } from '#client/index';
import { patient } from '../exchange/account.ts';

/** The ids of tasks that the account can see. They were exported from here and need not be created. */
export async function findKnownTasks(
  tasks: TaskFlow['tasks'],
  taskIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const batchGetTasks = patient(tasks.batchGetTasks);
  const results = await Array.fromAsync(inBatches(batchGetTasks, taskIds, { allowPartial: true }));
  return new Set(results.flatMap(({ result: { result } }) => (result.case === 'task' ? [result.value.id] : [])));
}
