import type { PageTokens, UnitOfWork } from '#libs/db';
import type { EventBatch, FeedItem, FeedPage, Position, StoredEvent, WantedEvents } from '#libs/events';
import type { AppError } from '#libs/errors';
import type { Quota } from '#libs/limits';
import type { Clock, UserActor } from '#libs/runtime';
import type { Project, ProjectMember } from '#contract/tasks/v1/projects';
import type { ExplainDueResponse, Task, TaskPriority, TaskState, TaskStatus } from '#contract/tasks/v1/tasks';
import type { Status } from '#google/rpc/status';
import type { Repositories } from './db/repositories.ts';
import type { OneTask } from './db/task-groups.ts';
import type { ListOrder } from './domain/list-order.ts';
import type { People, Person } from './domain/people.ts';

export type { Repositories };

/** Everything that the use-cases need from outside; built in app.ts. */
export interface TasksDeps {
  uow: UnitOfWork<Repositories>;
  /** For changes of one task, which may share a transaction with others. */
  oneTaskUow: UnitOfWork<OneTask>;
  taskReader: TaskReader;
  projectReader: ProjectReader;
  eventFeed: EventFeed;
  taskFeed: TaskFeed;
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

/** Reads columns straight into messages, without entities and without the names of people. Leaves out deleted tasks. */
export interface TaskReader {
  find(taskId: string): Promise<Task | undefined>;
  /** The tasks that exist, in any order; with `deleted` also deleted ones. */
  findMany(taskIds: readonly string[], options?: { deleted: boolean }): Promise<Task[]>;
  /** In the query's order; fewer than the limit when they would be too large for one message. `next` is undefined at the end. */
  list(query: ListQuery): Promise<{ tasks: Task[]; next: ListPosition | undefined }>;
  /** Counters and overdue tasks of a person, all as of one moment. */
  count(personId: string): Promise<{ counters: bigint[]; overdueOwned: bigint; overdueAssigned: bigint }>;
  /**
   * Those of the people who share a task or a project with a person. One statement, which does the same work for each of
   * them, known or not, who shares none.
   */
  findSharing(personId: string, otherIds: readonly string[]): Promise<Set<string>>;
  states(taskIds: string[]): Promise<TaskState[]>;
  /** What is known about the due time; the state of a task that does not exist is undefined. */
  explainDue(taskId: string): Promise<ExplainDueResponse>;
}

/** Where a page ended that is read by a time and, where that is the same, an id. */
export interface PagePosition {
  time: Date;
  id: string;
}

/** Reads columns straight into messages, without the names of people. */
export interface ProjectReader {
  /** A project that is not deleted, with the person's role in it: UNSPECIFIED for one who is no member. */
  find(projectId: string, userId: string): Promise<Project | undefined>;
  /** The person's projects, or those of everybody with the person's role; oldest first. */
  list(
    which: { userId: string; ofEverybody: boolean; showArchived: boolean; showDeleted: boolean },
    after: PagePosition | undefined,
    limit: number,
  ): Promise<Project[]>;
  /** Who joined first comes first; `id` of the position is the person's. */
  listMembers(projectId: string, after: PagePosition | undefined, limit: number): Promise<ProjectMember[]>;
}

export interface EventFeed {
  /** Fires when the service stops: waiting calls must end. */
  readonly closing: AbortSignal;
  /** Looks at up to `limit` events and returns those that concern others than their actors. */
  pull(after: Position | undefined, limit: number): Promise<EventBatch>;
  /**
   * Resolves at the next announcement of wanted events (all by default), after `maxMs`, when the signal fires, and
   * while closing; says whether it was an announcement.
   */
  wait(maxMs: number, signal: AbortSignal, wanted?: WantedEvents): Promise<boolean>;
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
