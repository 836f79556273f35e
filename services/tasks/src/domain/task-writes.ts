import { TaskEventType } from '#contract/tasks/v1/tasks';
import { requireOpenProject, type LockedProject, type LockedTask } from './locked-task.ts';
import type { People } from './people.ts';
import type { Person } from './person.ts';
import { requireInProject } from './project-access.ts';
import { projectArchived, projectNotFound } from './project.errors.ts';
import { requireOnTask } from './task-access.ts';
import type { TaskDraft, TaskEdit } from './task.columns.ts';
import { Task, type PlaceInProject } from './task.entity.ts';
import { lastPosition } from './task-position.ts';
import { assigneeNotMember, etagMismatch, ownerNotMember } from './task.errors.ts';
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

/** Who is to be assigned, so that it is known whether they are a member; null for nobody who is named or found. */
export function assigneeOf({ fields, assigneeEmail }: Assignment<TaskEdit>, known: People): string | null {
  return (assigneeEmail === '' ? fields.assigneeId : known.findByEmail(assigneeEmail)) ?? null;
}

/** `project`: the draft's, if it is there. Takes a number in it, behind everything that may be refused. */
export function createOne(
  assignment: Assignment<TaskDraft>,
  { id, project }: { id: string; project: LockedProject | undefined },
  write: WriteContext,
): TaskWrite {
  const { actor, now } = write;
  requireRoom(actor, assignment.fields.projectId, project);
  const draft = withAssignee(assignment, write, memberOf(project, assignment, write.known));
  const task = Task.create(draft, { id, ownerId: actor.userId, now }, project && takeNumber(project));
  return { type: TaskEventType.CREATED, task, before: nothing, actorId: actor.userId, now };
}

/** Throws unless the person may create tasks in the project, which they will own. */
function requireRoom(actor: Person, projectId: string | null, project: LockedProject | undefined): void {
  if (projectId === null) return;
  requireOpenFor(actor, projectId, project);
  if (!project.roles.has(actor.userId)) throw ownerNotMember(projectId, actor.userId);
}

/** Throws unless the person may bring tasks into the project. */
export function requireOpenFor(
  actor: Person,
  projectId: string,
  project: LockedProject | undefined,
): asserts project is LockedProject {
  if (project === undefined) throw projectNotFound(projectId);
  requireInProject(actor, { projectId, role: project.roles.get(actor.userId) }, 'write');
  if (project.isArchived) throw projectArchived(projectId);
}

export function takeNumber(project: LockedProject): PlaceInProject {
  project.lastNumber += 1n;
  const number = project.lastNumber;
  return { number, key: `${project.key}-${number}`, position: lastPosition(number) };
}

function memberOf(
  project: LockedProject | undefined,
  assignment: Assignment<TaskDraft>,
  known: People,
): { id: string; isAssigneeMember: boolean } | undefined {
  const assigneeId = assigneeOf(assignment, known);
  return project && { id: project.id, isAssigneeMember: assigneeId !== null && project.roles.has(assigneeId) };
}

/** Throws before it changes the task. `etag` '' = any version. */
export function updateOne(
  locked: LockedTask,
  { etag, ...assignment }: { etag: string } & Assignment<TaskEdit>,
  write: WriteContext,
): TaskWrite {
  const { actor, now } = write;
  const { task, project } = locked;
  const onlyStatus = Object.keys(assignment.fields).every((field) => field === 'status');
  const what = 'change anything but the status';
  requireOnTask(actor, locked, { action: onlyStatus ? 'status' : 'write', what });
  requireOpenProject(locked);
  requireEtag(task, etag);
  const edit = withAssignee(assignment, write, project);
  const before = snapshotOf(task, now);
  task.edit(edit, now);
  return { type: TaskEventType.UPDATED, task, before, actorId: actor.userId, now };
}

export function deleteOne(
  locked: LockedTask,
  { etag, purgeTime }: { etag: string; purgeTime: Date },
  { actor, now }: Omit<WriteContext, 'known'>,
): TaskWrite {
  const { task } = locked;
  requireOnTask(actor, locked, { action: 'write', what: 'delete it' });
  requireOpenProject(locked);
  requireEtag(task, etag);
  const before = snapshotOf(task, now);
  task.delete(now, purgeTime);
  return { type: TaskEventType.DELETED, task, before, actorId: actor.userId, now };
}

/** undefined = the task was not deleted. */
export function undeleteOne(
  locked: LockedTask,
  etag: string,
  { actor, now }: Omit<WriteContext, 'known'>,
): TaskWrite | undefined {
  const { task } = locked;
  requireOnTask(actor, locked, { action: 'write', what: 'bring it back' });
  requireOpenProject(locked);
  requireEtag(task, etag);
  if (task.deleteTime === null) return undefined;
  task.undelete(now);
  return { type: TaskEventType.UNDELETED, task, before: nothing, actorId: actor.userId, now };
}

export function requireEtag(task: Task, etag: string): void {
  if (etag !== '' && !task.hasEtag(etag)) throw etagMismatch(task.id);
}

/** The fields to write. Throws unless the assignee may be assigned. */
function withAssignee<F extends TaskEdit>(
  assignment: Assignment<F>,
  { actor, known }: WriteContext,
  project: { id: string; isAssigneeMember: boolean } | undefined,
): F {
  const { fields, assigneeEmail } = assignment;
  const assigneeId = assigneeEmail === '' ? fields.assigneeId : known.idByEmail(assigneeEmail);
  if (assigneeEmail === '' && needsCheck(assignment, actor) && assigneeId) known.requireEnabled(assigneeId);
  if (project?.isAssigneeMember === false && assigneeId) throw assigneeNotMember(project.id, assigneeId);
  return assigneeEmail === '' ? fields : { ...fields, assigneeId };
}
