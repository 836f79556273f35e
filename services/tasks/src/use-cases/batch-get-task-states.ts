import type { BatchGetTaskStatesResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';

export async function batchGetTaskStates(
  { taskReader }: Pick<TasksDeps, 'taskReader'>,
  taskIds: string[],
): Promise<BatchGetTaskStatesResponse> {
  return { states: await taskReader.states(taskIds) };
}
