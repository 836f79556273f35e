import type { OverdueTask, RecordedChange } from './task.events.ts';

/** The last thing a transaction does: it locks the heads of the streams it touches, which concurrent writers wait for. */
export interface TaskLog {
  /** Once, with all that was changed. */
  record(changes: readonly RecordedChange[]): Promise<void>;
  recordOverdue(tasks: OverdueTask[]): Promise<void>;
}
