import type { PageTokens, UnitOfWork } from '#libs/db';
import type { EventBatch, FeedItem, Position, StoredEvent, UserFeedPage } from '#libs/events';
import type { AppError } from '#libs/errors';
import type { Clock } from '#libs/runtime';
import type { ExplainDueResponse, Task, TaskPriority, TaskState, TaskStatus } from '#contract/tasks/v1/tasks';
import type { Status } from '#google/rpc/status';
import type { Repositories } from './db/repositories.ts';
import type { ListOrder } from './domain/list-order.ts';
import type { People } from './domain/people.ts';

/** Everything that the use-cases need from outside; built in app.ts. */
export interface TasksDeps {
  uow: UnitOfWork<Repositories>;
  taskReader: TaskReader;
  eventFeed: EventFeed;
  taskFeed: TaskFeed;
  people: PeopleDirectory;
  pageTokens: PageTokens;
  clock: Clock;
  newId: () => string;
  /** Events older than this are forgotten. */
  keepEventsMs: number;
  /** How long a deleted task can be brought back. */
  retentionMs: number;
  /** How an error of one member looks in the answer to a batch. */
  toStatus: (error: AppError) => Status;
}

/** Where a page ended: the values of the order's terms in its last task, times as text, null for no due time. */
export type ListPosition = { values: (string | number | null)[]; id: string };

/** A task is in the list when it fulfils all that are given. */
export interface ListFilter {
  /** Sorted, without repetition; empty = all. */
  statuses: TaskStatus[];
  priorities: TaskPriority[];
  /** Each from the first moment on, and before the second. */
  due: TimeRange;
  created: TimeRange;
  updated: TimeRange;
  /** '' = any or none. */
  assigneeId: string;
  /** All of them. */
  labels: string[];
  overdue?: boolean | undefined;
  hasDue?: boolean | undefined;
  /** Every word of it begins a word of the title or the description; '' = any task. */
  text: string;
  /** Also the deleted tasks of the owner. */
  showDeleted: boolean;
}

export interface TimeRange {
  from?: Date | undefined;
  before?: Date | undefined;
}

export interface ListQuery {
  /** `mine` = owned or assigned. */
  whose: { mine: string } | { ownedBy: string };
  filter: ListFilter;
  order: ListOrder;
  after: ListPosition | undefined;
  limit: number;
}

/** Reads straight from columns to messages, past the entities; names of people are not in them. Deleted tasks do not exist. */
export interface TaskReader {
  find(taskId: string): Promise<Task | undefined>;
  /** Those that there are, in any order; with `deleted` also deleted ones. */
  findMany(taskIds: readonly string[], options?: { deleted: boolean }): Promise<Task[]>;
  /** In the query's order; fewer than the limit when they would be too large for one message. `next` is undefined at the end. */
  list(query: ListQuery): Promise<{ tasks: Task[]; next: ListPosition | undefined }>;
  /** Counters and overdue tasks of a person, all as of one moment. */
  count(personId: string): Promise<{ counters: bigint[]; overdueOwned: bigint; overdueAssigned: bigint }>;
  states(taskIds: string[]): Promise<TaskState[]>;
  /** Where the due time stands; the task's state is undefined when it is gone. */
  explainDue(taskId: string): Promise<ExplainDueResponse>;
}

export interface EventFeed {
  /** Fires when the service stops: nobody may wait any more. */
  readonly closing: AbortSignal;
  pull(after: Position | undefined, limit: number): Promise<EventBatch>;
  /** Resolves at the next announcement, after `maxMs`, when the signal fires, and while closing. */
  wait(maxMs: number, signal: AbortSignal): Promise<void>;
}

/** Where a page of a person's existing tasks ended; both never change in a task. */
export type SyncPlace = { createTime: string; id: string };

/** A person's part of the log, and what stands behind it. */
export interface TaskFeed {
  /** What concerns the user, behind a position or from now on, and heartbeats; see EventHub. */
  follow(userId: string, after: Position | undefined, signal: AbortSignal): AsyncIterable<FeedItem>;
  /** Where the log ends now. */
  end(): Promise<Position>;
  /** Throws RESUME_TOKEN_COMPACTED when events behind the position are gone. */
  read(userId: string, after: Position, limit: number): Promise<UserFeedPage>;
  history(taskId: string, afterEventId: bigint, limit: number): Promise<{ events: StoredEvent[]; more: boolean }>;
  /** Also of a deleted task, until it is purged. */
  findPeople(taskId: string): Promise<{ ownerId: string; assigneeId: string; deleted: boolean } | undefined>;
  /** Existing tasks, owned or assigned, oldest first. */
  listMine(userId: string, after: SyncPlace | undefined, limit: number): Promise<Task[]>;
  /** Those of the tasks that exist and are owned by or assigned to the user. */
  findMine(userId: string, taskIds: string[]): Promise<Task[]>;
}

export interface PeopleDirectory {
  /**
   * At most one call to users for all ids (empty ones are skipped), and none when they were asked about a moment ago. Never
   * throws: what could not be learned shows in the answer.
   * With `mustCheck` a decision depends on it, so it may take longer than names are worth.
   */
  lookUp(ids: readonly (string | null)[], options?: { mustCheck: boolean }): Promise<People>;
}
