import type { ExplainDueResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';

/** Facts for the scheduler, which knows the rest of the chain and draws the conclusion. */
export async function explainDue({ taskReader }: Pick<TasksDeps, 'taskReader'>, taskId: string): Promise<ExplainDueResponse> {
  return taskReader.explainDue(taskId);
}
