import type { ExplainDueResponse, ReaderCheck, TaskEvent, TaskState } from '#contract/tasks/v1/tasks';
import type { Position } from '#libs/events';

/** The tasks service. */
export interface TasksPort {
  /** One batch of the sweep, without what was due before `from`; `nextDueTime` is where another batch goes on. */
  sweepOverdue(from: Date | undefined): Promise<{ markedCount: number; more: boolean; nextDueTime?: Date | undefined }>;
  /** The events after a position that concern others than their actors. Waits a while when there is none. */
  pullEvents(after: Position | undefined): Promise<{ events: TaskEvent[]; next?: Position | undefined; more: boolean }>;
  /** By id; tasks that are gone are left out. */
  states(taskIds: string[]): Promise<Map<string, TaskState>>;
  /** Whether each user sees a task, and the comment is there; '' = no comment. In the order of the checks. */
  mayRead(checks: ReaderCheck[]): Promise<boolean[]>;
  /** Where the task's due time stands. */
  explainDue(taskId: string): Promise<ExplainDueResponse>;
}
