import { ProjectRole } from '#contract/tasks/v1/projects';
import type { Person } from './person.ts';
import { mayInProject, type ProjectAction } from './project-access.ts';
import { roleRequired } from './project.errors.ts';
import { adminRequired, notOwner, taskNotFound } from './task.errors.ts';

export type { Person };

/**
 * `status`: changes the status and nothing else. `write`: changes anything, deletes, brings back, moves to another
 * project. `moderate`: deletes comments of others. `takeOut`: moves to no project.
 */
export type TaskAction = 'see' | 'comment' | 'status' | 'write' | 'moderate' | 'takeOut';

/** What access depends on in the task itself, as an entity or a message has it: null and '' = none. */
export interface TaskForAccess {
  id: string;
  ownerId: string;
  assigneeId: string | null;
  projectId: string | null;
}

/** A task and the person's role in its project, read together; undefined without a project and for one who is no member. */
export interface Accessed<T extends TaskForAccess> {
  task: T;
  role: ProjectRole | undefined;
}

/**
 * Whether a person may do something with a task: the one place that decides it. Without a project the owner may do
 * everything, and the assignee see, comment and set the status. With one only the role counts, but for the status,
 * which the assignee may set in any role, and for taking it out, which takes it away from all but its owner and assignee:
 * its owner may do so with less. Administrators act as owners and managers. A deleted task has no assignee.
 */
export function mayOnTask(person: Person, { task, role }: Accessed<TaskForAccess>, action: TaskAction): boolean {
  if (person.role === 'admin') return true;
  const isAssignee = task.assigneeId === person.userId;
  const isOwner = task.ownerId === person.userId;
  if (task.projectId) return mayInProject(person, role, inProject(action, { isOwner, isAssignee }));
  return isOwner || (isAssignee && ['see', 'comment', 'status'].includes(action));
}

function inProject(
  action: TaskAction,
  { isOwner, isAssignee }: Record<'isOwner' | 'isAssignee', boolean>,
): ProjectAction {
  if (isAssignee && action === 'status') return 'see';
  return isOwner && action === 'takeOut' ? 'write' : actions[action];
}

/** What they ask for in the project. */
const actions: Readonly<Record<TaskAction, ProjectAction>> = {
  see: 'see',
  comment: 'comment',
  status: 'write',
  write: 'write',
  moderate: 'manage',
  takeOut: 'manage',
};

export const maySee = (person: Person, accessed: Accessed<TaskForAccess>): boolean =>
  mayOnTask(person, accessed, 'see');

/** Throws unless the person may do it; `what` completes "only the owner may …". An invisible task does not exist. */
export function requireOnTask(
  person: Person,
  accessed: Accessed<TaskForAccess>,
  { action, what }: { action: TaskAction; what: string },
): void {
  const { id, projectId, ownerId } = accessed.task;
  if (mayOnTask(person, accessed, action)) return;
  if (!maySee(person, accessed)) throw taskNotFound(id);
  if (!projectId) throw notOwner(id, what);
  const isOwnTakenOut = action === 'takeOut' && ownerId === person.userId;
  throw roleRequired(projectId, leastRoles[isOwnTakenOut ? 'write' : action]);
}

const leastRoles: Readonly<Record<TaskAction, ProjectRole>> = {
  see: ProjectRole.VIEWER,
  comment: ProjectRole.COMMENTER,
  status: ProjectRole.EDITOR,
  write: ProjectRole.EDITOR,
  moderate: ProjectRole.MANAGER,
  takeOut: ProjectRole.MANAGER,
};

/** Users may name only themselves as the owner of a list; administrators may name anybody. '' = no owner. */
export function requireListAccess(person: Person, ownerId: string): void {
  if (ownerId !== '' && ownerId !== person.userId && person.role !== 'admin') throw adminRequired(ownerId);
}
