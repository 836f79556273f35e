import type { PageTokens, UnitOfWork } from '#libs/db';
import type {
  EventBatch,
  FeedItem,
  FeedPage,
  OwnEvents,
  PartPage,
  Position,
  StoredEvent,
  WantedEvents,
} from '#libs/events';
import type { AppError } from '#libs/errors';
import type { Quota } from '#libs/limits';
import type { Clock, UserActor } from '#libs/runtime';
import type { Task, TaskPriority, TaskStatus } from '#contract/tasks/v1/tasks';
import type { Status } from '#google/rpc/status';
import type { Repositories } from './db/repositories.ts';
import type { ProjectReader } from './db/project-reader.ts';
import type { OneTask } from './db/task-groups.ts';
import type { TaskReader } from './db/task-reader.ts';
import type { ListOrder } from './domain/list-order.ts';
import type { People, Person } from './domain/people.ts';

export type { ProjectReader, Repositories, TaskReader };

/** Everything that the use-cases need from outside; built in app.ts. */
export interface TasksDeps {
  uow: UnitOfWork<Repositories>;
  /** For changes of one task, which may share a transaction with others. */
  oneTaskUow: UnitOfWork<OneTask>;
  taskReader: TaskReader;
  projectReader: ProjectReader;
  eventFeed: EventFeed;
  taskFeed: TaskFeed;
  partFeed: PartFeed;
  people: PeopleDirectory;
  /** The e-mails that find nobody, by the person who asks. */
  unknownEmails: Quota;
  pageTokens: PageTokens;
  clock: Clock;
  newId: () => string;
  /** Older events are deleted. */
  keepEventsMs: number;
  /** How long a deleted task can be undeleted. */
  retentionMs: number;
  /** Converts the error of one member for the answer to a batch. */
  toStatus: (error: AppError) => Status;
}

/** Where a page ended: the values of the order's terms in its last task, times as text, null for no due time. */
export type ListPosition = { values: (string | number | null)[]; id: string };

/** A task is in the list when it meets every given condition. */
export interface ListFilter {
  /** Sorted, without repetition; empty = all. */
  statuses: TaskStatus[];
  priorities: TaskPriority[];
  /** Each includes its first moment and excludes its second. */
  due: TimeRange;
  created: TimeRange;
  updated: TimeRange;
  /** '' = any or none. */
  assigneeId: string;
  /** The task has all of them. */
  labels: string[];
  overdue?: boolean | undefined;
  hasDue?: boolean | undefined;
  /** Each of its words is the beginning of a word of the title or the description; '' = any task. */
  text: string;
  /** Includes the owner's deleted tasks. */
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

/** Where a page ended that is read by a time and, where that is the same, an id. */
export interface PagePosition {
  time: Date;
  id: string;
}

export interface EventFeed {
  /** Fires when the service stops: waiting calls must end. */
  readonly closing: AbortSignal;
  /** Looks at up to `limit` events and returns those that concern others than their actors, and the own ones. */
  pull(after: Position | undefined, limit: number, own: OwnEvents): Promise<EventBatch>;
  /**
   * Resolves at the next announcement of wanted events (all by default), after `maxMs`, when the signal fires, and
   * while closing; says whether it was an announcement.
   */
  wait(maxMs: number, signal: AbortSignal, wanted?: WantedEvents): Promise<boolean>;
}

/** One person's or project's part of the log, for other services. */
export interface PartFeed {
  read(partId: string, after: Position, limit: number): Promise<PartPage>;
  /** The current end of the log. */
  end(): Promise<Position>;
  /** Before everything of this time and later. */
  before(time: Date): Promise<Position>;
  /** Undefined when the log does not have the event. */
  beforeEvent(event: Position): Promise<Position | undefined>;
}

/** Where a page of a person's existing tasks ended. Neither value of a task ever changes. */
export type SyncPlace = { createTime: string; id: string };

/** A person's part of the event log, and the tasks that it is about. */
export interface TaskFeed {
  /** The user's events after a position, or from now on, and heartbeats; see EventBroadcaster. */
  subscribe(userId: string, after: Position | undefined, signal: AbortSignal): AsyncIterable<FeedItem>;
  /** The current end of the log. */
  end(): Promise<Position>;
  /** Throws RESUME_TOKEN_COMPACTED when events after the position were deleted. */
  read(userId: string, after: Position, limit: number): Promise<FeedPage>;
  history(taskId: string, afterEventId: bigint, limit: number): Promise<{ events: StoredEvent[]; more: boolean }>;
  /** Includes deleted tasks until they are purged. */
  findPeople(taskId: string): Promise<{ ownerId: string; assigneeId: string; deleted: boolean } | undefined>;
  /** Existing tasks, owned or assigned, oldest first. */
  listMine(userId: string, after: SyncPlace | undefined, limit: number): Promise<Task[]>;
  /** Those of the tasks that exist and are owned by or assigned to the user. */
  findMine(userId: string, taskIds: string[]): Promise<Task[]>;
}

export interface PeopleDirectory {
  /**
   * Makes at most one call to users for all ids, and none for ids that were looked up a moment ago. Skips empty ids. Never
   * throws: the result tells which people are unknown. Look-ups of one turn of the event loop share a call. With
   * `mustCheck` each makes its own, which may take longer, because a decision depends on it.
   */
  lookUp(ids: readonly (string | null)[], options?: { mustCheck: boolean }): Promise<People>;
  /**
   * The enabled users who have the e-mails, by e-mail, and whether the caller may find them without sharing a task. One
   * call, never remembered. Throws when users does not answer.
   */
  findByEmails(caller: UserActor, emails: readonly string[]): Promise<ReadonlyMap<string, FoundPerson>>;
  /** Removes what is remembered of a user here and in Redis. Throws without Redis. */
  forget(userId: string): Promise<void>;
}

export interface FoundPerson {
  person: Person;
  isOpenToCaller: boolean;
}
