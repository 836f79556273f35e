import type { GetProjectInvitationResponse } from '#contract/tasks/v1/projects';
import type { ExplainDueResponse, ReaderCheck, TaskEvent, TaskState } from '#contract/tasks/v1/tasks';
import type { OwnEvents, Position } from '#libs/events';
import type { HappeningsPage, LogReader } from '../webhooks/happening.ts';

export interface PulledTaskEvents {
  events: TaskEvent[];
  next?: Position | undefined;
  more: boolean;
  readerIds: string[];
}

export interface ReaderPosition {
  position: Position;
  /** The projects of which the reader may be told now. */
  projectIds: string[];
}

/** The tasks service. */
export interface TasksPort {
  /** One batch of the sweep, without what was due before `from`; `nextDueTime` is where another batch goes on. */
  sweepOverdue(from: Date | undefined): Promise<{ markedCount: number; more: boolean; nextDueTime?: Date | undefined }>;
  /**
   * The events after a position that concern others than their actors, and which of the readers have something to read.
   * Waits a while when there is neither.
   */
  pullEvents(after: Position | undefined, readers: OwnEvents): Promise<PulledTaskEvents>;
  /**
   * Where a reader begins: before an event or a time, by default at the end of the log. Fails with PROJECT_NOT_FOUND or
   * ROLE_REQUIRED when the person may not read the project.
   */
  findPosition(reader: LogReader, start?: { event: Position } | { time: Date }): Promise<ReaderPosition>;
  /** What happened after a position. Fails like `findPosition`. */
  readHappenings(reader: LogReader, after: Position, limit: number): Promise<HappeningsPage>;
  /** By id; tasks that are gone are left out. */
  states(taskIds: string[]): Promise<Map<string, TaskState>>;
  /** Whether each user sees a task, and the comment is there; '' = no comment. In the order of the checks. */
  mayRead(checks: ReaderCheck[]): Promise<boolean[]>;
  /** What an invitation to a project says now; undefined when nobody could join by it any more. */
  findInvitation(invitationId: string): Promise<GetProjectInvitationResponse | undefined>;
  /** Where the task's due time stands. */
  explainDue(taskId: string): Promise<ExplainDueResponse>;
}
