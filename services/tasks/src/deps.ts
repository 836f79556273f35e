import type { PageTokens, UnitOfWork } from '#libs/db';
import type { EventBatch, Position } from '#libs/events';
import type { Clock } from '#libs/runtime';
import type { Task, TaskPriority, TaskState, TaskStatus } from '#contract/tasks/v1/tasks';
import type { Repositories } from './db/repositories.ts';
import type { People } from './domain/people.ts';

/** Everything that the use-cases need from outside; built in app.ts. */
export interface TasksDeps {
  uow: UnitOfWork<Repositories>;
  taskReader: TaskReader;
  eventFeed: EventFeed;
  people: PeopleDirectory;
  pageTokens: PageTokens;
  clock: Clock;
  newId: () => string;
}

/** Where a page ended: the sort key of its last task. */
export type ListPosition = { createTime: string; id: string };

export interface ListQuery {
  /** `mine` = owned or assigned. */
  whose: { mine: string } | { ownedBy: string };
  /** Empty = all. */
  statuses: TaskStatus[];
  priorities: TaskPriority[];
  after: ListPosition | undefined;
  limit: number;
}

/** Reads straight from columns to messages, past the entities; names of people are not in them. Deleted tasks do not exist. */
export interface TaskReader {
  find(taskId: string): Promise<Task | undefined>;
  /** Newest first. `next` is undefined at the end. */
  list(query: ListQuery): Promise<{ tasks: Task[]; next: ListPosition | undefined }>;
  /** Counters and overdue tasks of a person, all as of one moment. */
  count(personId: string): Promise<{ counters: bigint[]; overdueOwned: bigint; overdueAssigned: bigint }>;
  states(taskIds: string[]): Promise<TaskState[]>;
}

export interface EventFeed {
  /** Fires when the service stops: nobody may wait any more. */
  readonly closing: AbortSignal;
  pull(after: Position | undefined, limit: number): Promise<EventBatch>;
  /** Resolves at the next announcement, after `maxMs`, when the signal fires, and while closing. */
  wait(maxMs: number, signal: AbortSignal): Promise<void>;
}

export interface PeopleDirectory {
  /**
   * One call to users for all ids (empty ones are skipped). Never throws: what could not be learned shows in the answer.
   * With `mustCheck` a decision depends on it, so it may take longer than names are worth.
   */
  lookUp(ids: readonly (string | null)[], options?: { mustCheck: boolean }): Promise<People>;
}
