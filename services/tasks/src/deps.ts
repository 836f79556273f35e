import type { OrderedUnitOfWork, PageTokens, UnitOfWork } from '#libs/db';
import type {
  EventBatch,
  FeedItem,
  FeedPage,
  FeedScope,
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
import type { ProjectInvitee } from '#contract/auth/v1/auth';
import type { CommentReader } from './db/comment-reader.ts';
import type { InvitationReader } from './db/invitation-reader.ts';
import type { Repositories } from './db/repositories.ts';
import type { ProjectReader } from './db/project-reader.ts';
import type { OneTask } from './db/task-groups.ts';
import type { TaskReader } from './db/task-reader.ts';
import type { ReaderPair, WatcherReader } from './db/watcher-reader.ts';
import type { InvitationMail } from './domain/invitation.repository.ts';
import type { ListOrder } from './domain/list-order.ts';
import type { People, Person } from './domain/people.ts';
import type { Accessed, TaskForAccess } from './domain/task-access.ts';

export type { CommentReader, InvitationReader, ProjectReader, ReaderPair, Repositories, TaskReader, WatcherReader };

/** Everything that the use-cases need from outside; built in app.ts. */
export interface TasksDeps {
  uow: OrderedUnitOfWork<Repositories>;
  /** For changes of one task, which may share a transaction with others. */
  oneTaskUow: UnitOfWork<OneTask>;
  taskReader: TaskReader;
  projectReader: ProjectReader;
  invitationReader: InvitationReader;
  invitees: Invitees;
  /** Whether the installation sends mail. */
  sendsMail: boolean;
  commentReader: CommentReader;
  watcherReader: WatcherReader;
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
  /** `mine` = owned or assigned; `everything` = and those of the person's projects. */
  whose: { mine: string } | { ownedBy: string } | { everything: string } | { inProject: string };
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

/** Where a page of a person's own existing tasks ended. Neither value of a task ever changes. */
export type SyncPlace = { createTime: string; id: string };

/**
 * Where a page of tasks of the person's projects ended. `only` = no other project follows. `gone` = of the person's own
 * tasks in a project that they may not see any more.
 */
export type ProjectPlace = { projectId: string; number: string; only: boolean; gone?: boolean };

/** What the access to a task's history depends on. */
export type AccessedForHistory = Accessed<TaskForAccess> & { isDeleted: boolean };

/** A person's part of the event log, and the tasks that it is about. */
export interface TaskFeed {
  /** The user's events after a position, or from now on, and heartbeats; see EventBroadcaster. */
  subscribe(
    userId: string,
    after: Position | undefined,
    signal: AbortSignal,
    scope: FeedScope,
  ): AsyncIterable<FeedItem>;
  /** The current end of the log. */
  end(): Promise<Position>;
  /** Throws RESUME_TOKEN_COMPACTED when events after the position were deleted. */
  read(userId: string, after: Position, limit: number, scope: FeedScope): Promise<FeedPage>;
  history(taskId: string, afterEventId: bigint, limit: number): Promise<{ events: StoredEvent[]; more: boolean }>;
  /** Includes deleted tasks until they are purged. */
  findForHistory(taskId: string, userId: string): Promise<AccessedForHistory | undefined>;
  /** Existing tasks that the user owns or is assigned to and may see, oldest first. */
  listMine(userId: string, after: SyncPlace | undefined, limit: number): Promise<Task[]>;
  /** Existing tasks of the user's projects, by project and number: all of them, or those owned or assigned. */
  listShared(userId: string, after: ProjectPlace, limit: number, scope: FeedScope): Promise<Task[]>;
  /** Tasks of a project that the user owns or is assigned to, seen or not, by number. */
  listOwnIn(userId: string, after: ProjectPlace, limit: number): Promise<{ id: string; number: bigint }[]>;
  /** Those of the tasks that exist and that the user may see: all of them, or those owned or assigned. */
  find(userId: string, taskIds: string[], scope: FeedScope): Promise<Task[]>;
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

/** What auth tells of whom an invitation invites. */
export type Invitee = Pick<ProjectInvitee, 'email' | 'mailTime'>;

/** The service that keeps whom invitations invite, and mails them. */
export interface Invitees {
  /** Throws AppError when auth did not take it. */
  mail(mail: InvitationMail): Promise<void>;
  /** By the ids of the invitations, those left out that auth does not keep; undefined when it does not answer. */
  find(invitationIds: readonly string[]): Promise<ReadonlyMap<string, Invitee> | undefined>;
}

export interface FoundPerson {
  person: Person;
  isOpenToCaller: boolean;
}
