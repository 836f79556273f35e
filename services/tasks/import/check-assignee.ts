import { TaskFlowError, type TaskFlow } from '#client/index';
import { patient } from '../exchange/patient.ts';

/** Before the import, since otherwise each of its tasks would be refused. */
export async function checkAssignee(assigneeEmail: string, tasks: TaskFlow['tasks']): Promise<void> {
  try {
    await patient(tasks.createTask)({ task: { title: 'any' }, assigneeEmail, validateOnly: true });
  } catch (error) {
    const isRefused = error instanceof TaskFlowError && error.violations.length > 0;
    if (!isRefused) throw error;
    throw new Error(`--assignee ${assigneeEmail}: the account finds nobody by this e-mail; nothing was imported`);
  }
}
