import type { Notification, NotificationKind, Webhook, WebhookDelivery, WebhookDeliveryState } from '#contract/scheduler/v1/notifications';
import type { Schedule, ScheduleRun } from '#contract/scheduler/v1/scheduler';
import type { ExplainDueResponse, TaskEvent, TaskState } from '#contract/tasks/v1/tasks';
import type { NotificationSettings } from '#contract/users/v1/users';
import type { PageTokens, SecretCipher, UnitOfWork } from '#libs/db';
import type { FeedItem, Position } from '#libs/events';
import type { Clock, Logger } from '#libs/runtime';
import type { Repositories } from './db/repositories.ts';
import type { DeliveryBatch } from './domain/notification.repository.ts';
import type { Retention } from './domain/retention.ts';
import type { BuiltInSchedule } from './domain/schedule.entity.ts';
import type { RunJob } from './domain/schedule-run.repository.ts';
import type { ChainReader, JobReader, JobWork, LiveJob, QueueState } from './job-deps.ts';
import type { Claim } from './domain/staleness.ts';
import type { RetryRules } from './domain/webhook-retries.ts';
import type { WebhookRun } from './domain/webhook-run.repository.ts';
import type { TargetRules } from './domain/webhook-target.ts';

export type { Repositories };
export type * from './job-deps.ts';

/** Everything that the use-cases need from outside; built in app.ts. */
export interface SchedulerDeps {
  uow: UnitOfWork<Repositories>;
  read: SchedulerReader;
  readSchedules: ScheduleReader;
  inbox: InboxReader;
  inboxFeed: InboxFeed;
  digest: DigestSettings;
  webhooks: WebhookDeps;
  retention: Retention;
  readJobs: JobReader;
  readChain: ChainReader;
  tasks: TasksPort;
  users: UsersPort;
  queue: QueuePort;
  claimedJobs: ClaimedJobs;
  metrics: MetricsPort;
  pageTokens: PageTokens;
  clock: Clock;
  logger: Logger;
  schedules: readonly BuiltInSchedule[];
  newId: () => string;
  /** What a job of this name and payload was to do; undefined when this release has no such job, or the payload breaks its schema. */
  workOf: (job: { name: string; payload: unknown; jobId: string }) => JobWork | undefined;
  /** Says that something pending has been committed, so that it need not wait for the next look. Never throws. */
  wakeDispatch: () => void;
}

/** Where a page ended: the sort key of its last notification. */
export type InboxPosition = { deliverTime: string; id: string };

/** A notification is listed when it fulfils all that are given. */
export interface InboxFilter {
  unreadOnly: boolean;
  /** Sorted, without repetition; empty = all. */
  kinds: NotificationKind[];
}

/** One page and where it ended, undefined at the end. */
export interface InboxPage {
  notifications: Notification[];
  next: InboxPosition | undefined;
}

/** Reads inboxes. */
export interface InboxReader {
  /** Newest first. */
  page(recipientId: string, filter: InboxFilter, after: InboxPosition | undefined, limit: number): Promise<InboxPage>;
  /** What a digest stands for, oldest first. */
  digest(recipientId: string, digestId: string, after: InboxPosition | undefined, limit: number): Promise<InboxPage>;
  /** Counts no further than `max`. */
  unread(recipientId: string, max: number): Promise<number>;
}

/** The changes of inboxes. */
export interface InboxFeed {
  /** What changes in the user's inbox, behind a position or from now on, and heartbeats; see EventHub. */
  follow(userId: string, after: Position | undefined, signal: AbortSignal): AsyncIterable<FeedItem>;
}

/** When many overdue tasks become one message. */
export interface DigestSettings {
  /** More than this for one user at once. */
  threshold: number;
  /** A digest takes in what comes while it has not been quiet for this long. */
  quietMs: number;
}

/** What sending to webhooks needs. */
export interface WebhookDeps {
  read: WebhookReader;
  /** Of their secrets; the label is the webhook's id. */
  cipher: SecretCipher;
  sender: WebhookSender;
  rules: TargetRules;
  retries: RetryRules;
}

/** Where a page of a webhook's log ended. */
export type DeliveryPosition = { createTime: string; id: string };

/** A webhook as its job needs it. */
export interface RunningWebhook {
  ownerId: string;
  url: string;
  /** The current one first. */
  sealedSecrets: Buffer[];
  failingSince: Date | undefined;
}

/** A message that is to be sent now. */
export interface DueDelivery {
  id: string;
  /** UNSPECIFIED for a test. */
  kind: NotificationKind;
  /** So far. */
  attempts: number;
  /** Once it has been sent, or for a test. */
  body: string | undefined;
  messageId: string;
  /** Undefined for a test, and when it has been pruned. */
  notification: Notification | undefined;
  dueVersion: bigint;
}

/** Reads webhooks and what is sent to them. */
export interface WebhookReader {
  /** Oldest first. */
  list(ownerId: string): Promise<Webhook[]>;
  find(ownerId: string, webhookId: string): Promise<Webhook | undefined>;
  /** Undefined when the job has nothing to do with it (any more). */
  running(run: WebhookRun): Promise<RunningWebhook | undefined>;
  /** What may be sent now: of each task the first. */
  due(webhookId: string, limit: number): Promise<DueDelivery[]>;
  /** Newest first; no states = all. */
  log(webhookId: string, states: readonly WebhookDeliveryState[], after: DeliveryPosition | undefined, limit: number): Promise<{ deliveries: WebhookDelivery[]; next: DeliveryPosition | undefined }>;
}

export interface WebhookRequest {
  url: string;
  headers: Record<string, string>;
  body: string;
}

export interface WebhookAnswer {
  /** Undefined when none came. */
  statusCode: number | undefined;
  /** '' for a success. */
  error: string;
  /** When the endpoint asks for a pause. */
  retryAfterMs: number | undefined;
  durationMs: number;
}

/** Sends over HTTP. Only throws when the signal fires: every fault of the other side is an answer. */
export interface WebhookSender {
  send(message: WebhookRequest, signal: AbortSignal): Promise<WebhookAnswer>;
}

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
  /** Those of the ids that are still pending, and what has to be told to the same recipient of the same task before them. */
  pending(ids: string[]): Promise<PendingNotification[]>;
  /** Jobs that should be alive since something pending waits for them, in pages by id; young ones are left out. */
  expectedJobs(after: string, limit: number): Promise<string[]>;
  /** What waits and what died, for the metrics. */
  counts(): Promise<{ pending: number; deadLetters: number }>;
}

/** The tasks service. */
export interface TasksPort {
  /** One batch of the sweep, without what was due before `from`; `nextDueTime` is where another batch goes on. */
  sweepOverdue(from: Date | undefined): Promise<{ marked: number; more: boolean; nextDueTime?: Date | undefined }>;
  /** Waits a while for an event when there is none. */
  pullEvents(after: Position | undefined): Promise<{ events: TaskEvent[] }>;
  /** By id; tasks that are gone are left out. */
  states(taskIds: string[]): Promise<Map<string, TaskState>>;
  /** Where the task's due time stands. */
  explainDue(taskId: string): Promise<ExplainDueResponse>;
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
  addWebhookRuns(runs: readonly WebhookRun[]): Promise<void>;
  /** Those of the jobs that still wait, run or will be retried. */
  findAlive(jobIds: string[]): Promise<Set<string>>;
  readonly names: readonly string[];
  inspect(queue: string): Promise<QueueState>;
  /** The job as it is in Redis; undefined when it has ended, or when Redis lost it. */
  findJob(jobId: string): Promise<LiveJob | undefined>;
  /** Never throws. */
  measure(): Promise<void>;
}

/** Jobs whose ids are committed and that are on their way to the queue, within this process. */
export interface ClaimedJobs {
  /** False while the queue does not keep up: then nothing more is claimed ahead of it. */
  hasRoom(): boolean;
  put(batches: readonly DeliveryBatch[]): void;
  /** All of them; they are the taker's now. */
  take(): DeliveryBatch[];
}

/** How many lost jobs are made again, by what they are for. */
export type ReleasedJobs = Record<'notification' | 'schedule-run' | 'webhook', number>;

export interface MetricsPort {
  /** One try to reach a webhook. */
  webhookTried(outcome: 'delivered' | 'failed' | 'dead', durationMs: number): void;
  /** What became of notifications when their turn came. */
  settled(counts: Record<'delivered' | 'muted' | 'stale' | 'digested', number>): void;
  scheduleRan(scheduleId: string, outcome: 'succeeded' | 'failed'): void;
  waiting(counts: { pending: number; deadLetters: number }): void;
  paused(queue: string, isPaused: boolean): void;
  /** Jobs that Redis had lost. */
  reconciled(counts: ReleasedJobs): void;
}
