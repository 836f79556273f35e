import type { WatcherValues } from './watcher.columns.ts';

/** Who watches tasks, for changes behind the lock on the task. */
export interface WatcherRepository {
  set(watcher: WatcherValues): Promise<void>;
  /** Removes up to `limit` rows of a user. Returns how many. */
  removeOf(userId: string, limit: number): Promise<number>;
}
