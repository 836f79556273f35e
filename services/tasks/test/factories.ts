import { Task, type UpdateTaskRequest } from '#contract/tasks/v1/tasks';
import type { TestTasks, TestUser } from './start-tasks.ts';

export const hour = 3_600_000;
export const anHourAgo = (): Date => new Date(Date.now() - hour);
export const inAnHour = (): Date => new Date(Date.now() + hour);

export async function createTask(service: Pick<TestTasks, 'tasks'>, user: TestUser, fields: Partial<Task> = {}): Promise<Task> {
  const { task } = await service.tasks.createTask({ task: Task.fromPartial({ title: 'Water the plants', ...fields }) }, user.as);
  if (task === undefined) throw new Error('the answer has no task');
  return task;
}

/** Names of fields as in an update mask. */
export function update(id: string, fields: Partial<Task>, mask: string[], requestId = ''): UpdateTaskRequest {
  return { task: Task.fromPartial({ id, ...fields }), updateMask: mask, requestId, validateOnly: false };
}

/** Every page of a list, with the number of pages. */
export async function listAll(service: Pick<TestTasks, 'tasks'>, user: TestUser, filter: Parameters<TestTasks['tasks']['listTasks']>[0] = {}): Promise<Task[]> {
  const tasks: Task[] = [];
  let pageToken = '';
  do {
    const page = await service.tasks.listTasks({ ...filter, pageToken }, user.as);
    tasks.push(...page.tasks);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return tasks;
}
