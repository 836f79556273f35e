import type { Notification } from '#contract/scheduler/v1/notifications';
import type { Schedule, ScheduleRun } from '#contract/scheduler/v1/scheduler';
import type { TaskEvent, TaskState } from '#contract/tasks/v1/tasks';
import type { NotificationSettings } from '#contract/users/v1/users';
import type { PageTokens, UnitOfWork } from '#libs/db';
import type { Position } from '#libs/events';
import type { Logger } from '#libs/runtime';
import type { Repositories } from './db/repositories.ts';
import type { DeliveryBatch } from './domain/notification.repository.ts';
import type { BuiltInSchedule } from './domain/schedule.entity.ts';
import type { RunJob } from './domain/schedule-run.repository.ts';
import type { Claim } from './domain/staleness.ts';

/** Everything that the use-cases need from outside; built in app.ts. */
export interface SchedulerDeps {
  uow: UnitOfWork<Repositories>;
  read: SchedulerReader;
  readSchedules: ScheduleReader;
  tasks: TasksPort;
  users: UsersPort;
  queue: QueuePort;
  metrics: MetricsPort;
  pageTokens: PageTokens;
  logger: Logger;
  schedules: readonly BuiltInSchedule[];
  newId: () => string;
  /** Says that something pending has been committed, so that it need not wait for the next look. Never throws. */
  wakeDispatch: () => void;
}

/** Where a page ended: the sort key of its last notification. */
export type InboxPosition = { deliverTime: string; id: string };

/** A pending notification, as far as its delivery needs it. */
export interface PendingNotification extends Claim {
  id: string;
  taskId: string;
}

/** Where a page of runs ended: the sort key of its last run. */
export type RunPosition = { plannedTime: string; id: string };

/** Schedules as they are recorded. */
export interface ScheduleReader {
  find(scheduleId: string): Promise<Schedule | undefined>;
  /** By id, those behind `after`. */
  list(after: string, limit: number): Promise<Schedule[]>;
  /** The latest planned time first; `next` is undefined at the end. */
  runs(scheduleId: string, after: RunPosition | undefined, limit: number): Promise<{ runs: ScheduleRun[]; next: RunPosition | undefined }>;
}

/** Reads past the unit of work. */
export interface SchedulerReader {
  /** Delivered ones, newest first; one page and where it ended, undefined at the end. */
  inbox(recipientId: string, after: InboxPosition | undefined, limit: number): Promise<{ notifications: Notification[]; next: InboxPosition | undefined }>;
  /** Those of the ids that are still pending. */
  pending(ids: string[]): Promise<PendingNotification[]>;
  /** Jobs that should be alive since something pending waits for them, in pages by id; young ones are left out. */
  expectedJobs(after: string, limit: number): Promise<string[]>;
  /** What waits and what died, for the metrics. */
  counts(): Promise<{ pending: number; deadLetters: number }>;
}

/** The tasks service. */
export interface TasksPort {
  /** One batch of the sweep. */
  sweepOverdue(): Promise<{ marked: number; more: boolean }>;
  /** Waits a while for an event when there is none. */
  pullEvents(after: Position | undefined): Promise<{ events: TaskEvent[] }>;
  /** By id; tasks that are gone are left out. */
  states(taskIds: string[]): Promise<Map<string, TaskState>>;
}

/** The users service. */
export interface UsersPort {
  /** When and where people want notifications, by user id; those without a profile (yet) are left out. */
  settings(userIds: readonly string[]): Promise<Map<string, NotificationSettings>>;
}

/** The job queue. All methods that ask Redis throw AppError unavailable/QUEUE_UNAVAILABLE, fast, while it is away. */
export interface QueuePort {
  isReachable(): boolean;
  newJobId(): string;
  addDeliveries(batches: DeliveryBatch[]): Promise<void>;
  addRuns(runs: RunJob[]): Promise<void>;
  /** Those of the jobs that still wait, run or will be retried. */
  findAlive(jobIds: string[]): Promise<Set<string>>;
  /** Never throws. */
  measure(): Promise<void>;
}

export interface MetricsPort {
  delivered(count: number): void;
  stale(count: number): void;
  scheduleRan(scheduleId: string, outcome: 'succeeded' | 'failed'): void;
  waiting(counts: { pending: number; deadLetters: number }): void;
}

