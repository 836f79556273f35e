import { InternalNotificationsServiceService, NotificationsServiceService } from '#contract/scheduler/v1/notifications';
import { InternalMailsServiceService } from '#contract/scheduler/v1/mails';
import { SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import { ServerFeature } from '#contract/server/v1/server';
import { openAudit, type AuditLog } from '#libs/audit';
import { createPageTokens, createSecretCipher, openServiceDatabase, recall, uuidv7, type Database } from '#libs/db';
import { bind } from '#libs/grpc';
import type { AccessKeys } from '#libs/identity';
import { openAccess, openPorts, startApplication, type ServiceBase } from '#libs/service';
import { createJobQueue, createJobWorker } from '#libs/jobs';
import { openLimits } from '#libs/limits';
import { type Logger, type RunningApp } from '#libs/runtime';
import { createClaimedJobs } from './background/claimed-jobs.ts';
import { openAuth } from './clients/auth.client.ts';
import { openMailSender } from './clients/mail-sender.ts';
import { openTasks } from './clients/tasks.client.ts';
import { openUsers } from './clients/users.client.ts';
import { createWebhookSender, type Lookup } from './clients/webhook.client.ts';
import type { SchedulerConfig } from './config.ts';
import { databaseDefinition } from './db/database.ts';
import { exportedData } from './db/exported-data.ts';
import { createMailReader } from './db/mails/mail.reader.ts';
import { createInboxReader } from './db/notifications/inbox.reader.ts';
import { createChainReader } from './db/events/chain.reader.ts';
import { createJobReader } from './db/jobs/job.reader.ts';
import { createWaitingWorkReader } from './db/jobs/waiting-work.reader.ts';
import { createPendingReader } from './db/notifications/pending.reader.ts';
import { createScheduleReader } from './db/schedules/schedule.reader.ts';
import { webhookSecretsPurpose } from './db/sealed-columns.ts';
import { createWebhookReader } from './db/webhooks/webhook.reader.ts';
import { createRepositories } from './db/repositories.ts';
import type { MailDeps, SchedulerDeps, WebhookDeps } from './deps.ts';
import type { InboxFeed } from './domain/notifications/inbox-feed.ts';
import type { QueuePort } from './domain/jobs/queue.port.ts';
import type { TasksPort } from './domain/events/tasks.port.ts';
import type { UsersPort } from './domain/notifications/users.port.ts';
import { defineSchedules } from './domain/schedules/built-in-schedules.ts';
import { openInboxFeed } from './db/notifications/inbox-feed.ts';
import { jobHandlers, jobWork, queueSettings, schedulerJobs } from './jobs/jobs.ts';
import { createQueuePort } from './jobs/queue.ts';
import { createSchedulerMetrics } from './background/metrics.ts';
import { keepDeadJob } from './use-cases/jobs/keep-dead-job.ts';
import { notificationsServiceHandlers, schedulerServiceHandlers } from './rpc/handlers.ts';
import { internalMailsHandlers } from './rpc/mails/mails.handlers.ts';
import { internalNotificationsHandlers } from './rpc/notifications/internal-notifications.handlers.ts';
import { startPipeline, type DispatcherSignal } from './background/pipeline.ts';

export interface AppOverrides {
  logger?: Logger;
  /** Instead of auth's. */
  accessKeys?: AccessKeys;
  /** How names of webhooks are resolved, instead of the system's way. */
  lookup?: Lookup;
}

type Base = ServiceBase<SchedulerConfig>;

/** Starts the whole service: everything is constructed here, once. */
export function startApp(config: SchedulerConfig, overrides: AppOverrides = {}): Promise<RunningApp> {
  return startApplication(config, overrides, async (base) => {
    const database = await openServiceDatabase(base, databaseDefinition);
    const audit = openAudit(base, database);
    const access = openAccess(base, config.authAddress, overrides.accessKeys);
    const dispatcher: DispatcherSignal = { notify: () => undefined };
    const inboxFeed = openInboxFeed(base, database);
    const webhooks = openWebhooks(base, database, overrides);
    const mail = openMail(base, database);
    const deps = createDeps(
      base,
      {
        database,
        audit,
        inboxFeed,
        webhooks,
        mail,
        tasks: openPort(base, 'tasks', config.tasksAddress, openTasks),
        users: openPort(base, 'users', config.usersAddress, openUsers),
        queue: openQueue(base),
      },
      dispatcher,
    );
    const worker = await startWorker(base, deps);
    startPipeline(deps, { ...base, worker }, dispatcher);
    const ports = await openPorts(base, {
      bindings: [
        bind(SchedulerServiceService, schedulerServiceHandlers(deps)),
        bind(NotificationsServiceService, notificationsServiceHandlers(deps)),
        bind(InternalMailsServiceService, internalMailsHandlers(deps)),
        bind(InternalNotificationsServiceService, internalNotificationsHandlers(deps)),
      ],
      access,
      features: featuresOf(config),
      limits: await openLimits(base),
      audit,
      exportedData,
      snapshots: database.snapshots,
      pageTokens: deps.pageTokens,
      schemaVersion: database.schemaVersion,
      // Without Redis or tasks everything is late, but every call is answered, so they are not checked.
      checks: { database: () => database.check() },
    });
    // These parts stop first, so that jobs and calls drain at the same time; the worker's part waits for the jobs.
    base.parts.add({ name: 'waiting readers', stop: async () => inboxFeed.endWaits() });
    base.parts.add({ name: 'job intake', stop: async () => void worker.stop() });
    return ports;
  });
}

const featuresOf = ({ mail }: SchedulerConfig): ServerFeature[] => (mail === undefined ? [] : [ServerFeature.MAIL]);

type Open<Port> = (options: Parameters<typeof openTasks>[0]) => Port & { close(): void };

function openPort<Port>(
  { identity, logger, metrics, parts }: Base,
  name: string,
  address: string,
  open: Open<Port>,
): Port {
  const port = open({ address, identity, logger, metrics });
  parts.add({ name: `${name} client`, stop: async () => port.close() });
  return port;
}

function queueOptions({ config, clock, logger, metrics }: Base) {
  return { redisUrl: config.redisUrl, prefix: config.queuePrefix, jobs: schedulerJobs, clock, logger, metrics };
}

function openQueue(base: Base): QueuePort {
  const queue = createJobQueue(queueOptions(base));
  base.parts.add({ name: 'job queue', stop: () => queue.close() });
  return createQueuePort(queue);
}

function openWebhooks({ config }: Base, { reader }: Database, { lookup }: AppOverrides): WebhookDeps {
  const { privateTargets, timeoutMs, ...retries } = config.webhooks;
  const rules = { privateTargets, httpsOnly: config.env === 'production' };
  return {
    read: createWebhookReader(reader),
    cipher: createSecretCipher(config.encryptionKeys, webhookSecretsPurpose),
    sender: createWebhookSender({ rules, timeoutMs, lookup }),
    rules,
    retries,
  };
}

/** Undefined: this server sends no mails. */
function openMail(base: Base, { reader }: Database): MailDeps | undefined {
  const { mail } = base.config;
  if (mail === undefined) return undefined;
  const sender = openMailSender(mail, base.logger);
  base.parts.add({ name: 'mail sender', stop: async () => sender.close() });
  const { links, retries, maxPerHour } = mail;
  const accounts = openPort(base, 'auth', base.config.authAddress, openAuth);
  return { read: createMailReader(reader), accounts, sender, links, retries, maxPerHour };
}

interface Outside {
  database: Database;
  audit: AuditLog;
  inboxFeed: InboxFeed;
  tasks: TasksPort;
  users: UsersPort;
  queue: QueuePort;
  webhooks: WebhookDeps;
  mail: MailDeps | undefined;
}

function createDeps(
  { config, clock, logger, metrics }: Base,
  { database, audit, inboxFeed, tasks, users, queue, webhooks, mail }: Outside,
  dispatcher: DispatcherSignal,
): SchedulerDeps {
  const mails = { mailsOn: mail !== undefined };
  return {
    uow: database.unitOfWork(createRepositories(audit, mails)),
    recall: (request) => recall(database.reader, request),
    readPending: createPendingReader(database.reader),
    readJobs: createJobReader(database.reader),
    readWaitingWork: createWaitingWorkReader(database.reader, mails),
    readChain: createChainReader(database.reader),
    readSchedules: createScheduleReader(database.reader),
    inbox: createInboxReader(database.reader),
    inboxFeed,
    digest: { threshold: config.digestThreshold, quietMs: config.digestQuietMs },
    tasks,
    users,
    queue,
    claimedJobs: createClaimedJobs(),
    metrics: createSchedulerMetrics(metrics),
    pageTokens: createPageTokens(config.pageTokenKeys),
    webhooks,
    mail,
    retention: config.retention,
    clock,
    logger,
    schedules: defineSchedules(config),
    newId: uuidv7,
    jobWork,
    notifyDispatcher: () => dispatcher.notify(),
  };
}

async function startWorker(base: Base, deps: SchedulerDeps) {
  const worker = createJobWorker({
    ...queueOptions(base),
    handlers: jobHandlers(deps),
    deadLetters: { add: (job) => keepDeadJob(deps, job) },
    ...queueSettings,
    rates: base.config.mail && { mails: { max: base.config.mail.maxPerSecond, perMs: 1_000 } },
    graceMs: base.config.shutdownGraceMs,
    refuseEviction: base.config.env === 'production',
    // Until it is known which queues are paused.
    paused: true,
  });
  base.parts.add({ name: 'job worker', stop: worker.stop });
  await worker.start();
  return worker;
}
