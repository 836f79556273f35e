import type { LockedProject, LockedTask, TaskToLock } from './locked-task.ts';
import type { Person } from './person.ts';
import type { Task } from './task.entity.ts';
import type { TaskWrite } from './task.events.ts';
import type { Placed } from './task-order.ts';

/** What a change of one task needs. */
export interface OneTaskRepository {
  /**
   * Writes tasks, due rows, events and counters, and the response of the idempotency key, in one statement; the transaction
   * ends with it, because it locks the heads of streams, which concurrent writers wait for. A due row keeps its mark as long as its
   * due version stays; when a task is closed, the task remembers the mark: once for each due version, for ever. Returns the
   * response.
   */
  write<T>(writes: readonly TaskWrite[], response: T): Promise<T>;
  /**
   * Locks the task until the transaction ends, and its project against whatever would end the person's access. Throws
   * TASK_NOT_FOUND, also when the person may not see it. `assigneeId`: who is to be assigned, if somebody is named.
   */
  getForChange(taskId: string, person: Person, assigneeId?: string | null): Promise<LockedTask>;
  /** As getForChange; a deleted task too, but for those only who may change it, and until its purge time. */
  getForUndeletion(taskId: string, person: Person, now: Date): Promise<LockedTask>;
}

export interface TaskRepository extends OneTaskRepository {
  /** Locks those of the tasks that the person may see, in the order of their ids. */
  findForChange(tasks: readonly TaskToLock[], person: Person): Promise<ReadonlyMap<string, LockedTask>>;
  /** Locks projects that tasks are to come into, and reads the roles of these people. Deleted ones are left out. */
  lockProjects(projectIds: readonly string[], userIds: readonly string[]): Promise<ReadonlyMap<string, LockedProject>>;
  /**
   * Up to `limit` tasks of the project on both sides of one of them, in the order by hand, without another one. To be
   * read behind the lock on the project. Undefined when that one is not in it.
   */
  findAround(
    projectId: string,
    which: { anchorId: string; exceptId: string; limit: number },
  ): Promise<{ before: Placed[]; anchor: Placed; after: Placed[] } | undefined>;
  /** Locks those of the tasks that exist, whoever asks. */
  lockAll(taskIds: readonly string[]): Promise<Task[]>;
  /** Which of the external ids the owner's tasks have. */
  findExternalIds(ownerId: string, externalIds: readonly string[]): Promise<Set<string>>;
}
