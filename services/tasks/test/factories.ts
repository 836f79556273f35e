import {
  CreateTaskRequest,
  DeleteTaskRequest,
  Task,
  type TaskResult,
  UpdateTaskRequest,
} from '#contract/tasks/v1/tasks';
import type { Status } from '#google/rpc/status';
import { readPages } from '#dev/testing';
import { toColumnName } from '#libs/db';
import type { TestTasks, TestUser } from './start-tasks.ts';

export const hour = 3_600_000;
export const anHourAgo = (): Date => new Date(Date.now() - hour);
export const inAnHour = (): Date => new Date(Date.now() + hour);

/** What `refused` gives for the refusals that many tests expect. */
export const taskNotFound = { kind: 'not_found', reason: 'TASK_NOT_FOUND' };
export const staleEtag = { kind: 'aborted', reason: 'ETAG_MISMATCH' };
export const notOwner = { kind: 'permission_denied', reason: 'NOT_OWNER' };
export const externalIdTaken = { kind: 'already_exists', reason: 'EXTERNAL_ID_TAKEN' };
export const pageTokenInvalid = { kind: 'invalid_argument', reason: 'PAGE_TOKEN_INVALID' };

export async function createTask(
  service: Pick<TestTasks, 'tasks'>,
  user: TestUser,
  fields: Partial<Task> = {},
): Promise<Task> {
  const { task } = await service.tasks.createTask(
    { task: Task.fromPartial({ title: 'Water the plants', ...fields }) },
    user.as,
  );
  if (task === undefined) throw new Error('the answer has no task');
  return task;
}

/** The request to update these fields of a task. A due time needs a mask of its own, and an etag is in none. */
export function update(id: string, fields: Partial<Task>, mask = maskOf(fields), requestId = ''): UpdateTaskRequest {
  return UpdateTaskRequest.fromPartial({ task: { id, ...fields }, updateMask: mask, requestId });
}

const maskOf = (fields: Partial<Task>): string[] =>
  Object.keys(fields)
    .filter((name) => name !== 'etag')
    .map(toColumnName);

/** The members of a batch. */
export const creations = (tasks: readonly Task[]): CreateTaskRequest[] =>
  tasks.map((task) => CreateTaskRequest.fromPartial({ task }));
export const deletions = (taskIds: readonly string[]): DeleteTaskRequest[] =>
  taskIds.map((taskId) => DeleteTaskRequest.fromPartial({ taskId }));

/** The task of a batch's member; undefined when it failed, and for a deletion. */
export const taskOf = ({ result }: TaskResult): Task | undefined =>
  result?.$case === 'task' ? result.value : undefined;
/** Why a member of a batch failed. */
export const errorOf = ({ result }: TaskResult): Status | undefined =>
  result?.$case === 'error' ? result.value : undefined;

/** How many different answers there are, byte by byte. */
export function countDifferent<T>(
  codec: { encode(answer: T): { finish(): Uint8Array } },
  answers: readonly T[],
): number {
  return new Set(answers.map((answer) => Buffer.from(codec.encode(answer).finish()).toString('hex'))).size;
}

/** The tasks of every page of a list. */
export async function listAll(
  service: Pick<TestTasks, 'tasks'>,
  user: TestUser,
  filter: Parameters<TestTasks['tasks']['listTasks']>[0] = {},
): Promise<Task[]> {
  const pages = await readPages((pageToken) => service.tasks.listTasks({ ...filter, pageToken }, user.as));
  return pages.flatMap(({ tasks }) => tasks);
}
