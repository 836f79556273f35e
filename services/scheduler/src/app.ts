import { NotificationsServiceService, SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import { createPageTokens, openDatabase, uuidv7, type Database } from '#libs/db';
import { bind, createAuthenticator, createServiceIdentity, startServer, type AccessKeys, type GrpcServer } from '#libs/grpc';
import { createJobQueue, createJobWorker, type JobWorker } from '#libs/jobs';
import { createLogger, createMetrics, createParts, startHttpPort, type Logger, type Metrics, type RunningApp } from '#libs/runtime';
import { openAccessKeys } from './clients/auth.client.ts';
import { openTasks } from './clients/tasks.client.ts';
import type { SchedulerConfig } from './config.ts';
import { databaseDefinition } from './db/database.ts';
import { createSchedulerReader } from './db/reader.ts';
import { createRepositories } from './db/repositories.ts';
import type { QueuePort, SchedulerDeps, TasksPort } from './deps.ts';
import { defineSchedules } from './domain/schedule.entity.ts';
import { queueName, schedulerJobs } from './jobs/definitions.ts';
import { deadLetters, jobHandlers } from './jobs/handlers.ts';
import { createQueuePort } from './jobs/queue.ts';
import { createSchedulerMetrics } from './metrics.ts';
import { startPipeline, type Doorbell } from './pipeline.ts';
import { notificationsHandlers, schedulerHandlers } from './rpc/scheduler.handlers.ts';

export interface AppOverrides {
  logger?: Logger;
  /** Instead of auth's. */
  accessKeys?: AccessKeys;
}

interface Base {
  config: SchedulerConfig;
  logger: Logger;
  metrics: Metrics;
  /** Keeps what must be ended. */
  parts: ReturnType<typeof createParts>;
}

/** Jobs at a time in one process; deliveries mostly wait for tasks and the database. */
const jobConcurrency = 8;

/** Starts the whole service: everything is constructed here, once. What was started is stopped again when a later part fails. */
export async function startApp(config: SchedulerConfig, overrides: AppOverrides = {}): Promise<RunningApp> {
  const logger = overrides.logger ?? createLogger({ service: config.service, level: config.logLevel });
  // The server and the worker need all of the grace period for what is under way; the other parts only have to close.
  const parts = createParts({ logger, graceMs: config.shutdownGraceMs + 5_000 });
  const base = { config, logger, metrics: createMetrics(config.service), parts };
  try {
    const database = await openSchedulerDatabase(base);
    const { accessKeys, tasks } = openClients(base, overrides);
    const doorbell: Doorbell = { ring: () => undefined };
    const deps = createDeps(base, { database, tasks, queue: openQueue(base) }, doorbell);
    const worker = await startWorker(base, deps);
    startPipeline(deps, base, doorbell);
    const running: { server?: GrpcServer } = {};
    const { host, httpPort: port } = config;
    const http = await startHttpPort({ host, port, metrics: base.metrics, isReady: () => running.server?.isServing() ?? false });
    parts.add({ name: 'http port', stop: () => http.close() });
    const server = await startGrpc(base, { database, deps, accessKeys });
    running.server = server;
    parts.add({ name: 'grpc server', stop: server.stop });
    // The first to hear of the end, so that jobs and calls drain at the same time; the part of the worker waits for it.
    parts.add({ name: 'job intake', stop: async () => void worker.stop() });
    return { grpcPort: server.port, httpPort: http.port, logger, stop: parts.stop };
  } catch (error) {
    await parts.stop();
    throw error;
  }
}

async function openSchedulerDatabase({ config, logger, metrics, parts }: Base): Promise<Database> {
  const { databaseUrl, poolSize } = config;
  const database = await openDatabase({ ...databaseDefinition(databaseUrl), poolSize, logger, metrics, applicationName: 'taskflow-scheduler' });
  parts.add({ name: 'database', stop: () => database.close() });
  return database;
}

/** Nobody waits for them: while tasks is down, sweeps and deliveries are late; while auth is down, known keys still serve. */
function openClients({ config, logger, metrics, parts }: Base, overrides: AppOverrides): { accessKeys: AccessKeys; tasks: TasksPort } {
  const identity = createServiceIdentity({ service: config.service, privateKey: config.serviceKey });
  const tasks = openTasks({ address: config.tasksAddress, identity, logger, metrics });
  parts.add({ name: 'tasks client', stop: async () => tasks.close() });
  if (overrides.accessKeys !== undefined) return { accessKeys: overrides.accessKeys, tasks };
  const accessKeys = openAccessKeys({ address: config.authAddress, identity, logger, metrics });
  parts.add({ name: 'access keys', stop: () => accessKeys.stop() });
  void accessKeys.start();
  return { accessKeys, tasks };
}

function queueOptions({ config, logger, metrics }: Base) {
  return { redisUrl: config.redisUrl, prefix: config.queuePrefix, name: queueName, jobs: schedulerJobs, logger, metrics };
}

function openQueue(base: Base): QueuePort {
  const queue = createJobQueue(queueOptions(base));
  base.parts.add({ name: 'job queue', stop: () => queue.close() });
  return createQueuePort(queue);
}

function createDeps({ config, logger, metrics }: Base, outside: { database: Database; tasks: TasksPort; queue: QueuePort }, doorbell: Doorbell): SchedulerDeps {
  const { database, tasks, queue } = outside;
  return {
    uow: database.unitOfWork(createRepositories),
    read: createSchedulerReader(database.reader),
    tasks,
    queue,
    metrics: createSchedulerMetrics(metrics),
    pageTokens: createPageTokens(config.pageTokenKey),
    logger,
    schedules: defineSchedules(config),
    newId: uuidv7,
    wakeDispatch: () => doorbell.ring(),
  };
}

async function startWorker(base: Base, deps: SchedulerDeps): Promise<JobWorker> {
  const worker = createJobWorker({
    ...queueOptions(base),
    handlers: jobHandlers(deps),
    deadLetters: deadLetters(deps),
    concurrency: jobConcurrency,
    graceMs: base.config.shutdownGraceMs,
    refuseEviction: base.config.env === 'production',
  });
  base.parts.add({ name: 'job worker', stop: worker.stop });
  await worker.start();
  return worker;
}

interface Served {
  database: Database;
  deps: SchedulerDeps;
  accessKeys: AccessKeys;
}

/** Redis and tasks are not among the checks: without them everything is late, but every call is answered. */
function startGrpc({ config, logger, metrics }: Base, { database, deps, accessKeys }: Served): Promise<GrpcServer> {
  const { service, host, grpcPort, trustedProxies, shutdownGraceMs, servicePublicKeys } = config;
  return startServer({
    service,
    host,
    port: grpcPort,
    bindings: [bind(SchedulerServiceService, schedulerHandlers(deps)), bind(NotificationsServiceService, notificationsHandlers(deps))],
    authenticate: createAuthenticator({ service, accessKeys, servicePublicKeys }),
    logger,
    metrics,
    trustedProxies,
    graceMs: shutdownGraceMs,
    checks: { database: () => database.check() },
  });
}
