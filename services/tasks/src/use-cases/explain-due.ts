import type { ExplainDueResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';

/** Facts for the scheduler, which explains the whole chain. */
export async function explainDue(
  { taskReader }: Pick<TasksDeps, 'taskReader'>,
  taskId: string,
): Promise<ExplainDueResponse> {
  return taskReader.explainDue(taskId);
}
