import { TaskEventType } from '#contract/tasks/v1/tasks';
import type { People } from './people.ts';
import { Task, type Person, type TaskDraft, type TaskEdit } from './task.entity.ts';
import { etagMismatch, notOwner } from './task.errors.ts';
import { nothing, snapshotOf, toChange, type RecordedChange } from './task.events.ts';

/** Who writes, when, and what was known about people before. */
export interface Write {
  actor: Person;
  known: People;
  now: Date;
}

/** A task after its change, with the event that tells of it. */
export interface WrittenTask {
  task: Task;
  change: RecordedChange;
}

/** Somebody other than the writer must exist and be enabled to be assigned. */
export function needsCheck({ assigneeId }: TaskEdit, actor: Person): boolean {
  return assigneeId !== undefined && assigneeId !== null && assigneeId !== actor.userId;
}

export function createOne(draft: TaskDraft, id: string, write: Write): WrittenTask {
  const { actor, now } = write;
  requireAssignee(draft, write);
  const task = Task.create(draft, { id, ownerId: actor.userId, now });
  return { task, change: toChange(TaskEventType.CREATED, task, { before: nothing, actorId: actor.userId, now }) };
}

/** Throws before the task has changed. `etag` '' = any version. */
export function updateOne(task: Task, { etag, edit }: { etag: string; edit: TaskEdit }, write: Write): WrittenTask {
  const { actor, now } = write;
  const onlyStatus = Object.keys(edit).every((field) => field === 'status');
  if (!onlyStatus && !task.isOwnedBy(actor)) throw notOwner('change anything but the status');
  requireEtag(task, etag);
  requireAssignee(edit, write);
  const before = snapshotOf(task, now);
  task.edit(edit, now);
  return { task, change: toChange(TaskEventType.UPDATED, task, { before, actorId: actor.userId, now }) };
}

export function deleteOne(task: Task, { etag, purgeTime }: { etag: string; purgeTime: Date }, { actor, now }: Omit<Write, 'known'>): WrittenTask {
  if (!task.isOwnedBy(actor)) throw notOwner('delete it');
  requireEtag(task, etag);
  const before = snapshotOf(task, now);
  task.delete(now, purgeTime);
  return { task, change: toChange(TaskEventType.DELETED, task, { before, actorId: actor.userId, now }) };
}

/** Undefined: it was not deleted. */
export function undeleteOne(task: Task, etag: string, { actor, now }: Omit<Write, 'known'>): WrittenTask | undefined {
  if (!task.isOwnedBy(actor)) throw notOwner('bring it back');
  requireEtag(task, etag);
  if (task.deleteTime === null) return undefined;
  task.undelete(now);
  return { task, change: toChange(TaskEventType.UNDELETED, task, { before: nothing, actorId: actor.userId, now }) };
}

export function affectsDueRow(edit: TaskEdit): boolean {
  return (['status', 'dueTime', 'dueDate', 'dueZone', 'assigneeId'] as const).some((field) => edit[field] !== undefined);
}

function requireEtag(task: Task, etag: string): void {
  if (etag !== '' && !task.hasEtag(etag)) throw etagMismatch(task.id);
}

function requireAssignee(edit: TaskEdit, { actor, known }: Write): void {
  if (needsCheck(edit, actor) && edit.assigneeId) known.requireEnabled(edit.assigneeId);
}
