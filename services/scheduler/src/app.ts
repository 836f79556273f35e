import { NotificationsServiceService } from '#contract/scheduler/v1/notifications';
import { SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import { createPageTokens, createSecretCipher, openServiceDatabase, uuidv7, type Database } from '#libs/db';
import { bind, openAccess, openPorts, startApplication, type Access, type AccessKeys, type ServiceBase } from '#libs/grpc';
import { createJobQueue, createJobWorker } from '#libs/jobs';
import { openLimits } from '#libs/limits';
import { systemClock, type HttpMounts, type Logger, type RunningApp } from '#libs/runtime';
import { createClaimedJobs } from './claimed-jobs.ts';
import { openTasks } from './clients/tasks.client.ts';
import { openUsers } from './clients/users.client.ts';
import { createWebhookSender, type Lookup } from './clients/webhook.client.ts';
import type { SchedulerConfig } from './config.ts';
import { databaseDefinition } from './db/database.ts';
import { createInboxReader } from './db/inbox.reader.ts';
import { createChainReader } from './db/chain-reader.ts';
import { createJobReader } from './db/job-reader.ts';
import { createSchedulerReader } from './db/reader.ts';
import { createScheduleReader } from './db/schedule-reader.ts';
import { createWebhookReader } from './db/webhook.reader.ts';
import { createRepositories } from './db/repositories.ts';
import type { InboxFeed, QueuePort, SchedulerDeps, TasksPort, UsersPort, WebhookDeps } from './deps.ts';
import { defineSchedules } from './domain/schedule.entity.ts';
import { openInboxFeed } from './inbox-feed.ts';
import { schedulerJobs } from './jobs/definitions.ts';
import { deadLetters, jobHandlers, workOf } from './jobs/handlers.ts';
import { createQueuePort } from './jobs/queue.ts';
import { createSchedulerMetrics } from './metrics.ts';
import { notificationsHandlers } from './rpc/notifications.handlers.ts';
import { schedulerHandlers } from './rpc/scheduler.handlers.ts';
import { startFollowingHolds, startPipeline, type Doorbell } from './pipeline.ts';

export interface AppOverrides {
  logger?: Logger;
  /** Instead of auth's. */
  accessKeys?: AccessKeys;
  /** How names of webhooks are resolved, instead of the system's way. */
  lookup?: Lookup;
}

type Base = ServiceBase<SchedulerConfig>;

/** Jobs at a time in one process; deliveries mostly wait for tasks and the database, webhooks for slow endpoints. */
const jobConcurrency = { notifications: 8, schedules: 4, webhooks: 32 };

/**
 * A run whose process died holds its schedule up (overlap policy SKIP) until another process takes it over. Repeating a run
 * costs little, so that is soon: within five seconds, where the other queues take up to twenty.
 */
const jobLockMs = { schedules: 3_000 };

/** Starts the whole service: everything is constructed here, once. */
export function startApp(config: SchedulerConfig, overrides: AppOverrides = {}): Promise<RunningApp> {
  return startApplication(config, overrides, async (base) => {
    const database = await openServiceDatabase(base, databaseDefinition);
    const access = openAccess(base, config.authAddress, overrides.accessKeys);
    const doorbell: Doorbell = { ring: () => undefined };
    const inboxFeed = openInboxFeed(base, database);
    const webhooks = openWebhooks(base, database, overrides);
    const deps = createDeps(base, { database, inboxFeed, webhooks, tasks: openTasksPort(base), users: openUsersPort(base), queue: openQueue(base) }, doorbell);
    const worker = await startWorker(base, deps);
    startPipeline(deps, base, doorbell);
    startFollowingHolds(deps, base, worker);
    const mounts = config.board ? await openBoardMounts(base, access) : {};
    const ports = await openPorts(base, {
      bindings: [bind(SchedulerServiceService, schedulerHandlers(deps)), bind(NotificationsServiceService, notificationsHandlers(deps))],
      access,
      mounts,
      features: config.board ? ['board'] : [],
      limits: await openLimits(base),
      schemaVersion: database.schemaVersion,
      // Not Redis and not tasks: without them everything is late, but every call is answered.
      checks: { database: () => database.check() },
    });
    // The first to hear of the end, so that jobs and calls drain at the same time; the part of the worker waits for it.
    base.parts.add({ name: 'waiting readers', stop: async () => inboxFeed.endWaits() });
    base.parts.add({ name: 'job intake', stop: async () => void worker.stop() });
    return ports;
  });
}

/** Where it is off, its libraries are not even loaded. */
async function openBoardMounts(base: Base, access: Access): Promise<HttpMounts> {
  const { openBoard } = await import('./board/board.ts');
  return openBoard(base, { access, ...queueOptions(base) });
}

function openTasksPort({ config, identity, logger, metrics, parts }: Base): TasksPort {
  const tasks = openTasks({ address: config.tasksAddress, identity, logger, metrics });
  parts.add({ name: 'tasks client', stop: async () => tasks.close() });
  return tasks;
}

function openUsersPort({ config, identity, logger, metrics, parts }: Base): UsersPort {
  const users = openUsers({ address: config.usersAddress, identity, logger, metrics });
  parts.add({ name: 'users client', stop: async () => users.close() });
  return users;
}

function queueOptions({ config, logger, metrics }: Base) {
  return { redisUrl: config.redisUrl, prefix: config.queuePrefix, jobs: schedulerJobs, logger, metrics };
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
    cipher: createSecretCipher(config.encryptionKey, 'taskflow/scheduler/webhook-secrets'),
    sender: createWebhookSender({ rules, timeoutMs, lookup }),
    rules,
    retries,
  };
}

interface Outside {
  database: Database;
  inboxFeed: InboxFeed;
  tasks: TasksPort;
  users: UsersPort;
  queue: QueuePort;
  webhooks: WebhookDeps;
}

function createDeps({ config, logger, metrics }: Base, { database, inboxFeed, tasks, users, queue, webhooks }: Outside, doorbell: Doorbell): SchedulerDeps {
  return {
    uow: database.unitOfWork(createRepositories),
    read: createSchedulerReader(database.reader),
    readJobs: createJobReader(database.reader),
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
    pageTokens: createPageTokens(config.pageTokenKey),
    webhooks,
    retention: config.retention,
    clock: systemClock,
    logger,
    schedules: defineSchedules(config),
    newId: uuidv7,
    workOf,
    wakeDispatch: () => doorbell.ring(),
  };
}

async function startWorker(base: Base, deps: SchedulerDeps) {
  const worker = createJobWorker({
    ...queueOptions(base),
    handlers: jobHandlers(deps),
    deadLetters: deadLetters(deps),
    concurrency: jobConcurrency,
    lockMs: jobLockMs,
    graceMs: base.config.shutdownGraceMs,
    refuseEviction: base.config.env === 'production',
    // Until it is known which queues are paused.
    held: true,
  });
  base.parts.add({ name: 'job worker', stop: worker.stop });
  await worker.start();
  return worker;
}
