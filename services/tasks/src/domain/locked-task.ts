import type { ProjectRole } from '#contract/tasks/v1/projects';
import type { Person } from './person.ts';
import { projectArchived } from './project.errors.ts';
import { maySee, mayOnTask, type Accessed } from './task-access.ts';
import type { Task } from './task.entity.ts';

/** A task that is locked for a change by a person, together with its project. */
export interface LockedTask extends Accessed<Task> {
  project: LockedTaskProject | undefined;
}

export interface LockedTaskProject {
  id: string;
  isArchived: boolean;
  /** Whether whom the change would assign is a member. */
  isAssigneeMember: boolean;
}

/** A task to lock, and who is to be assigned; null = nobody who is named. */
export interface TaskToLock {
  taskId: string;
  assigneeId: string | null;
}

/** Whether the person may undelete it, or need not because it is not deleted. */
export function isThereFor(person: Person, locked: Accessed<Task>, now: Date): boolean {
  const { deleteTime, purgeTime } = locked.task;
  if (deleteTime === null) return maySee(person, locked);
  return mayOnTask(person, locked, 'write') && purgeTime !== null && purgeTime > now;
}

/** Throws when the task's project is read-only. */
export function requireOpenProject({ project }: LockedTask): void {
  if (project?.isArchived === true) throw projectArchived(project.id);
}

/** A project that tasks come into. It is locked, so nobody else takes numbers until the transaction ends. */
export interface LockedProject {
  id: string;
  key: string;
  lastNumber: bigint;
  isArchived: boolean;
  /** Of the people who were asked for, those who are members. */
  roles: ReadonlyMap<string, ProjectRole>;
}
