import type { Person, Task } from './task.entity.ts';
import type { TaskWrite } from './task.events.ts';

/** What a change of one task needs. */
export interface OneTaskRepository {
  /**
   * Writes tasks, due rows, events and counters, and the response of the idempotency key, in one statement; the transaction
   * ends with it, because it locks the heads of streams, which concurrent writers wait for. A due row keeps its mark as long as its
   * due version stays; when a task is closed, the task remembers the mark: once for each due version, for ever. Returns the
   * response.
   */
  write<T>(writes: readonly TaskWrite[], response: T): Promise<T>;
  /** Locks the task until the transaction ends. Throws TASK_NOT_FOUND, also when the person may not see it. */
  getForChange(taskId: string, person: Person): Promise<Task>;
  /** As getForChange; a deleted task too, but for its owner only and until its purge time. */
  getForUndeletion(taskId: string, person: Person, now: Date): Promise<Task>;
}

export interface TaskRepository extends OneTaskRepository {
  /** Locks those of the tasks that the person may see, in the order of their ids. */
  findForChange(taskIds: readonly string[], person: Person): Promise<ReadonlyMap<string, Task>>;
  /** Which of the external ids the owner's tasks have. */
  findExternalIds(ownerId: string, externalIds: readonly string[]): Promise<Set<string>>;
}
