import { TaskEventType } from '#contract/tasks/v1/tasks';
import { requireOpenProject, type LockedProject, type LockedTask } from './locked-task.ts';
import { requireOnTask } from './task-access.ts';
import type { Task } from './task.entity.ts';
import { ownerNotMember } from './task.errors.ts';
import { snapshotOf, type TaskWrite } from './task.events.ts';
import { requireEtag, requireOpenFor, takeNumber, type WriteContext } from './task-writes.ts';

/** Where a task goes, and the projects on both sides as far as they are there, with the roles of its people. */
export interface Move {
  /** Null: into none. */
  projectId: string | null;
  /** '' = any version. */
  etag: string;
  projects: ReadonlyMap<string, LockedProject>;
}

/** Throws before it changes the task. Undefined: the task is there already. */
export function moveOne(
  locked: LockedTask,
  { projectId, etag, projects }: Move,
  { actor, now }: Omit<WriteContext, 'known'>,
): TaskWrite | undefined {
  const { task } = locked;
  const action = projectId === null ? 'takeOut' : 'write';
  requireOnTask(actor, locked, { action, what: 'move it' });
  requireOpenProject(locked);
  const target = projectId === null ? undefined : projects.get(projectId);
  if (projectId !== null) requireOpenFor(actor, projectId, target);
  requireEtag(task, etag);
  if (task.projectId === projectId) return undefined;

  // A project that somebody has left may still name them as owner or assignee: their tasks are handed over behind it.
  const sides = [task.projectId, projectId].flatMap((id) => (id === null ? [] : (projects.get(id) ?? [])));
  const mayKeep = (userId: string): boolean => sides.every(({ roles }) => roles.has(userId));
  const newOwnerId = mayKeep(task.ownerId) ? task.ownerId : actor.userId;
  if (target?.roles.has(newOwnerId) === false) throw ownerNotMember(target.id, newOwnerId);
  const before = snapshotOf(task, now);
  leave(task, { newOwnerId, isAssigneeLeft: task.assigneeId !== null && !mayKeep(task.assigneeId), now });
  task.moveInto(projectId, target && takeNumber(target), now);
  return { type: TaskEventType.MOVED, task, before, actorId: actor.userId, now };
}

/** Takes the task from those who may not see it where it goes. */
function leave(
  task: Task,
  { newOwnerId, isAssigneeLeft, now }: { newOwnerId: string; isAssigneeLeft: boolean; now: Date },
): void {
  if (isAssigneeLeft) task.assigneeId = null;
  if (newOwnerId !== task.ownerId) task.passTo(newOwnerId, now);
}
