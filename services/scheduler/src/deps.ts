import type { Once, PageTokens, SecretCipher, UnitOfWork } from '#libs/db';
import type { Clock, Logger } from '#libs/runtime';
import type { Repositories } from './db/repositories.ts';
import type { ChainReader } from './domain/events/chain.reader.ts';
import type { Retention } from './domain/events/retention.ts';
import type { TasksPort } from './domain/events/tasks.port.ts';
import type { JobReader } from './domain/jobs/job.reader.ts';
import type { MetricsPort } from './domain/jobs/metrics.port.ts';
import type { JobWork } from './domain/jobs/job-work.ts';
import type { ClaimedJobs, QueuePort } from './domain/jobs/queue.port.ts';
import type { WaitingWorkReader } from './domain/jobs/waiting-work.reader.ts';
import type { AccountMailsPort } from './domain/mails/account-mails.port.ts';
import type { MailLinks } from './domain/mails/mail-links.ts';
import type { MailReader } from './domain/mails/mail.reader.ts';
import type { MailSender } from './domain/mails/mail-sender.ts';
import type { InboxFeed } from './domain/notifications/inbox-feed.ts';
import type { InboxReader } from './domain/notifications/inbox.reader.ts';
import type { PendingReader } from './domain/notifications/pending.reader.ts';
import type { UsersPort } from './domain/notifications/users.port.ts';
import type { BuiltInSchedule } from './domain/schedules/built-in-schedules.ts';
import type { ScheduleReader } from './domain/schedules/schedule.reader.ts';
import type { RetryRules } from './domain/jobs/retries.ts';
import type { WebhookSender } from './domain/webhooks/webhook-sender.ts';
import type { TargetRules } from './domain/webhooks/webhook-target.ts';
import type { WebhookReader } from './domain/webhooks/webhook.reader.ts';

export type { Repositories };

/** Everything that the use-cases need from outside; built in app.ts. */
export interface SchedulerDeps {
  uow: UnitOfWork<Repositories>;
  /** The recorded response of a repeated request. */
  recall: <T>(request: Once<T>) => Promise<T | undefined>;
  readPending: PendingReader;
  readSchedules: ScheduleReader;
  inbox: InboxReader;
  inboxFeed: InboxFeed;
  digest: DigestSettings;
  webhooks: WebhookDeps;
  /** Undefined: this server sends no mails. */
  mail: MailDeps | undefined;
  retention: Retention;
  readJobs: JobReader;
  readWaitingWork: WaitingWorkReader;
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
  jobWork: readonly JobWork<Repositories>[];
  /** Wakes the dispatcher after pending rows were committed. Never throws. */
  notifyDispatcher: () => void;
}

/** The settings of digests. */
export interface DigestSettings {
  /** More than this for one user at once. */
  threshold: number;
  /** A digest takes in more until it has not grown for this long. */
  quietMs: number;
}

/** The dependencies of sending to webhooks. */
export interface WebhookDeps {
  read: WebhookReader;
  /** Seals secrets; the label is the webhook's id. */
  cipher: SecretCipher;
  sender: WebhookSender;
  rules: TargetRules;
  retries: RetryRules;
}

/** The dependencies of sending mails. */
export interface MailDeps {
  read: MailReader;
  accounts: AccountMailsPort;
  sender: MailSender;
  links: MailLinks;
  retries: RetryRules;
  /** So many mails may one account get in an hour before those about notifications wait. */
  maxPerHour: number;
}
