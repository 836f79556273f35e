import type { RemovedTask } from './removed-task.ts';

export interface RemovedTaskRepository {
  /** Takes the titles out of what people were told of these tasks, and of what their webhooks were sent. */
  erase(tasks: readonly RemovedTask[]): Promise<void>;
}
