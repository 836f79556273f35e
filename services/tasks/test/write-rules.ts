import { TaskStatus, type Task, type UpdateTaskRequest } from '#contract/tasks/v1/tasks';
import { toEtag } from '../src/domain/task.columns.ts';
import { stranger, type Write } from './random-writes.ts';

/* The rules of changes of single tasks, written a second time. */

export interface TaskState {
  /** 0 before its creation. */
  version: bigint;
  /** As it was last seen; undefined before its creation. */
  task: Task | undefined;
  deleted: boolean;
}

export const notYet: TaskState = { version: 0n, task: undefined, deleted: false };

const moves: Readonly<Record<string, readonly TaskStatus[]>> = {
  [TaskStatus.PENDING]: [TaskStatus.PENDING, TaskStatus.IN_PROGRESS, TaskStatus.COMPLETED],
  [TaskStatus.IN_PROGRESS]: [TaskStatus.PENDING, TaskStatus.IN_PROGRESS, TaskStatus.COMPLETED],
  [TaskStatus.COMPLETED]: [TaskStatus.PENDING, TaskStatus.COMPLETED],
};

export function taskIdOf(write: Write): string {
  if (write.method === 'CreateTask') return '';
  return write.method === 'UpdateTask' ? (write.request.task?.id ?? '') : write.request.taskId;
}

/** The reason by which the call is refused when its task is in this state, without regard to external ids. */
export function refusalOf(write: Write, state: TaskState): string | undefined {
  if (write.method === 'CreateTask') return refusalOfAssignee(write.request.task);
  const { task } = state;
  if (task === undefined || !isThereFor(write, task, state.deleted)) return 'TASK_NOT_FOUND';
  return refusalOfOther(write, task) ?? refusalOfEtag(write, state) ?? refusalOfChange(write, task);
}

function isThereFor({ method, actor }: Write, task: Task, deleted: boolean): boolean {
  if (deleted) return method === 'UndeleteTask' && task.ownerId === actor.userId;
  return [task.ownerId, task.assigneeId].includes(actor.userId);
}

function refusalOfOther(write: Write, task: Task): string | undefined {
  const onlyStatus = write.method === 'UpdateTask' && write.request.updateMask?.join() === 'status';
  return task.ownerId === write.actor.userId || onlyStatus ? undefined : 'NOT_OWNER';
}

function refusalOfEtag(write: Exclude<Write, { method: 'CreateTask' }>, { version }: TaskState): string | undefined {
  const etag = write.method === 'UpdateTask' ? write.request.task?.etag : write.request.etag;
  return etag === '' || etag === toEtag(version) ? undefined : 'ETAG_MISMATCH';
}

function refusalOfChange(write: Write, task: Task): string | undefined {
  if (write.method !== 'UpdateTask') return undefined;
  const { task: change, updateMask = [] }: Partial<UpdateTaskRequest> = write.request;
  if (updateMask.includes('assignee_id')) return refusalOfAssignee(change);
  if (!updateMask.includes('status') || change === undefined) return undefined;
  return moves[task.status]?.includes(change.status) === true ? undefined : 'ILLEGAL_STATUS_TRANSITION';
}

function refusalOfAssignee(task: Task | undefined): string | undefined {
  return task?.assigneeId === stranger ? 'ASSIGNEE_NOT_FOUND' : undefined;
}
