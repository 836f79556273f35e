import type { Task } from './task.entity.ts';

export interface TaskDueRepository {
  /**
   * Brings the due rows in line with tasks that were added or changed. A row keeps its mark as long as the due version
   * stays; when the task is closed, the task remembers it: once for each due version, for ever.
   */
  follow(tasks: readonly Task[]): void;
}
