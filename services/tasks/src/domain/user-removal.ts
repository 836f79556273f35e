import type { NewEvent } from '#libs/events';
import { TaskChange, TaskEventType } from '#contract/tasks/v1/tasks';
import type { Task } from './task.entity.ts';
import { snapshotOf, type TaskWrite } from './task.events.ts';

/** Who removes what belongs to a user whose account is being removed. */
export const remover = 'service:auth';

/** Has the task pass to the successor. */
export function passOne(task: Task, successorId: string, now: Date): TaskWrite {
  const before = snapshotOf(task, now);
  task.passTo(successorId, now);
  return { type: TaskEventType.UPDATED, task, before, actorId: remover, now };
}

/** Whose tasks pass to whom, and who has them pass. */
interface HandOver {
  userId: string;
  heirId: string;
  actorId: string;
}

/** What the person owned in a project passes to one of its members, and the person is assigned to nothing. */
export function handOverOne(task: Task, { userId, heirId, actorId }: HandOver, now: Date): TaskWrite {
  const before = snapshotOf(task, now);
  if (task.ownerId === userId) task.passTo(heirId, now);
  if (task.assigneeId === userId) task.edit({ assigneeId: null }, now);
  return { type: TaskEventType.UPDATED, task, before, actorId, now };
}

/** Takes the assignee out of somebody else's task. */
export function unassignOne(task: Task, now: Date): TaskWrite {
  const before = snapshotOf(task, now);
  task.edit({ assigneeId: null }, now);
  return { type: TaskEventType.UPDATED, task, before, actorId: remover, now };
}

/** A task that is gone for good, and the others in whose lists it may still stand. */
export interface GoneTask {
  taskId: string;
  version: bigint;
  ownerId: string;
  /** Persons, and projects that it stood in before. */
  others: readonly string[];
}

/** Tells each of the others that the task is gone, and nothing else of it. */
export function tombstonesOf(
  { taskId, version, ownerId, others }: GoneTask,
  projectIds: ReadonlySet<string>,
): NewEvent[] {
  const lastOf = (id: string) => (projectIds.has(id) ? { projectId: id } : { assigneeId: id });
  return others.map((id) => ({
    streamId: ownerId,
    type: TaskEventType.DELETED,
    subjectId: taskId,
    subjectVersion: version,
    actor: remover,
    audience: [id],
    payload: TaskChange.encode(TaskChange.fromPartial({ before: { id: taskId, ownerId, ...lastOf(id) } })).finish(),
  }));
}
