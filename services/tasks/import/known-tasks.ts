import { inBatches, type TaskFlow } from '#client/index';
import type { Task } from '#client/tasks';
import { patient } from '../exchange/patient.ts';

/** The ids of tasks that the account owns. They were exported from here and need not be created. */
export async function findKnownTasks(
  { tasks, userId }: { tasks: TaskFlow['tasks']; userId: () => Promise<string> },
  taskIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const batchGetTasks = patient(tasks.batchGetTasks);
  const results = await Array.fromAsync(inBatches(batchGetTasks, taskIds, { allowPartial: true }));
  const found = results.flatMap(({ result: { result } }) => (result.case === 'task' ? [result.value] : []));
  // Only of a task that is assigned to somebody else may the account be the assignee.
  const isSurelyOwn = ({ ownerId, assigneeId }: Task): boolean => assigneeId === '' || assigneeId === ownerId;
  const self = found.every(isSurelyOwn) ? undefined : await userId();
  return new Set(found.filter((task) => isSurelyOwn(task) || task.ownerId === self).map(({ id }) => id));
}
