import type { ProjectWatcherValues } from './project-watcher.columns.ts';
import type { WatcherValues } from './watcher.columns.ts';

/** Who watches tasks and projects, for changes behind the lock on the task or project. */
export interface WatcherRepository {
  set(watcher: WatcherValues): Promise<void>;
  watchProject(watcher: ProjectWatcherValues): Promise<void>;
  leaveProject(projectId: string, userId: string): Promise<void>;
  /** Removes up to `limit` rows of a user about tasks, and those about projects. Returns how many. */
  removeOf(userId: string, limit: number): Promise<number>;
}
