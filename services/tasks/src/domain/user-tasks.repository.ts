import type { ErasedEvent } from '#libs/events';
import type { GoneTask } from './user-removal.ts';
import type { Task } from './task.entity.ts';
import type { TaskWrite } from './task.events.ts';

/** What belongs to one user, for the removal of the user. Locks are taken as every change of tasks takes them. */
export interface UserTasksRepository {
  /** Locks up to `limit` tasks of the owner, in the order of their ids; with `deleted` also those that are. */
  lockOwned(userId: string, options: { deleted: boolean; limit: number }): Promise<Task[]>;
  /** Locks up to `limit` tasks of others that are assigned to the user and not deleted, in the order of their ids. */
  lockAssigned(userId: string, limit: number): Promise<Task[]>;
  /** A project in which the user owns or is assigned tasks that are not deleted. */
  findProjectOf(userId: string): Promise<string | undefined>;
  /** Locks up to `limit` of these, in the order of their ids, and then the project against whoever would leave it. */
  lockInProject(userId: string, projectId: string, limit: number): Promise<Task[]>;
  /** Locks up to `limit` tasks of projects whose purge time is over by the database's clock. */
  lockExpired(limit: number): Promise<Task[]>;
  /** Writes tasks with their new owners, their events and counters; the last statement of its transaction. */
  pass(writes: readonly TaskWrite[]): Promise<void>;
  /** Erases the contents of up to `limit` events of the tasks. */
  eraseEvents(taskIds: readonly string[], limit: number): Promise<ErasedEvent[]>;
  /** Removes tasks, which then count for nobody, and tells of those who are gone; the last statement of its transaction. */
  remove(tasks: readonly Task[], gone: readonly GoneTask[]): Promise<void>;
  /** Up to `limit` tasks of the user's stream that exist no more, but of which events tell. */
  listGone(userId: string, limit: number): Promise<string[]>;
  /**
   * Takes the user out of the audience of up to `limit` events, and out of the deleted tasks that they are about.
   * Returns who made these changes, and how many there were.
   */
  leaveAudience(userId: string, limit: number): Promise<{ actors: string[]; count: number }>;
  /** Removes recorded answers to these users in which the user may be named. */
  removeAnswers(userId: string, toUserIds: readonly string[]): Promise<void>;
  /** Removes what is left when no task and no event is. */
  removeRest(userId: string): Promise<void>;
}
