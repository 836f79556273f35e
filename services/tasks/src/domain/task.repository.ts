import type { Person, Task } from './task.entity.ts';

/** What it hands out and takes is written when the unit of work ends, together with the events that tell of it. */
export interface TaskRepository {
  add(task: Task): void;
  /** Locks the task until the transaction ends. Throws TASK_NOT_FOUND, also when the person may not see it. */
  getForChange(taskId: string, person: Person): Promise<Task>;
  /** Locks those of the tasks that the person may see, in the order of their ids. */
  findForChange(taskIds: readonly string[], person: Person): Promise<ReadonlyMap<string, Task>>;
  /** As getForChange; a deleted task too, but for its owner only and until its purge time. */
  getForUndeletion(taskId: string, person: Person, now: Date): Promise<Task>;
  /** Which of the external ids the owner's tasks have. */
  findExternalIds(ownerId: string, externalIds: readonly string[]): Promise<Set<string>>;
}
