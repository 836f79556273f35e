import { TaskEventType } from '#contract/tasks/v1/tasks';
import type { People } from './people.ts';
import type { TaskDraft, TaskEdit } from './task.columns.ts';
import { Task, type Person } from './task.entity.ts';
import { etagMismatch, notOwner } from './task.errors.ts';
import { nothing, snapshotOf, type TaskWrite } from './task.events.ts';

/** Who writes, when, and what is known about people. */
export interface WriteContext {
  actor: Person;
  known: People;
  now: Date;
}

/** The fields that a client sets, and the assignee's e-mail in place of the id; '' = the id counts. */
export interface Assignment<Fields extends TaskEdit> {
  fields: Fields;
  assigneeEmail: string;
}

/** Whether the assignee must be looked up: anybody but the writer must exist and be enabled. */
export function needsCheck({ fields: { assigneeId } }: Assignment<TaskEdit>, actor: Person): boolean {
  return assigneeId !== undefined && assigneeId !== null && assigneeId !== actor.userId;
}

export function createOne(assignment: Assignment<TaskDraft>, id: string, write: WriteContext): TaskWrite {
  const { actor, now } = write;
  const draft = withAssignee(assignment, write);
  const task = Task.create(draft, { id, ownerId: actor.userId, now });
  return { type: TaskEventType.CREATED, task, before: nothing, actorId: actor.userId, now };
}

/** Throws before it changes the task. `etag` '' = any version. */
export function updateOne(
  task: Task,
  { etag, ...assignment }: { etag: string } & Assignment<TaskEdit>,
  write: WriteContext,
): TaskWrite {
  const { actor, now } = write;
  const onlyStatus = Object.keys(assignment.fields).every((field) => field === 'status');
  if (!onlyStatus && !task.isOwnedBy(actor)) throw notOwner(task.id, 'change anything but the status');
  requireEtag(task, etag);
  const edit = withAssignee(assignment, write);
  const before = snapshotOf(task, now);
  task.edit(edit, now);
  return { type: TaskEventType.UPDATED, task, before, actorId: actor.userId, now };
}

export function deleteOne(
  task: Task,
  { etag, purgeTime }: { etag: string; purgeTime: Date },
  { actor, now }: Omit<WriteContext, 'known'>,
): TaskWrite {
  if (!task.isOwnedBy(actor)) throw notOwner(task.id, 'delete it');
  requireEtag(task, etag);
  const before = snapshotOf(task, now);
  task.delete(now, purgeTime);
  return { type: TaskEventType.DELETED, task, before, actorId: actor.userId, now };
}

/** undefined = the task was not deleted. */
export function undeleteOne(
  task: Task,
  etag: string,
  { actor, now }: Omit<WriteContext, 'known'>,
): TaskWrite | undefined {
  if (!task.isOwnedBy(actor)) throw notOwner(task.id, 'bring it back');
  requireEtag(task, etag);
  if (task.deleteTime === null) return undefined;
  task.undelete(now);
  return { type: TaskEventType.UNDELETED, task, before: nothing, actorId: actor.userId, now };
}

function requireEtag(task: Task, etag: string): void {
  if (etag !== '' && !task.hasEtag(etag)) throw etagMismatch(task.id);
}

/** The fields to write. Throws unless the assignee may be assigned. */
function withAssignee<F extends TaskEdit>(assignment: Assignment<F>, { actor, known }: WriteContext): F {
  const { fields, assigneeEmail } = assignment;
  if (assigneeEmail !== '') return { ...fields, assigneeId: known.idByEmail(assigneeEmail) };
  if (needsCheck(assignment, actor) && fields.assigneeId) known.requireEnabled(fields.assigneeId);
  return fields;
}
