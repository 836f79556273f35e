import { InternalTasksServiceService, TasksServiceService } from '#contract/tasks/v1/tasks';
import { createPageTokens, openDatabase, uuidv7, type Database } from '#libs/db';
import { createEventSignal, pullEvents } from '#libs/events';
import { bind, createAuthenticator, createServiceIdentity, startServer, type AccessKeys, type GrpcServer } from '#libs/grpc';
import {
  createLogger,
  createMetrics,
  createParts,
  runInBackground,
  startHttpPort,
  startLoop,
  systemClock,
  type Clock,
  type Logger,
  type Metrics,
  type RunningApp,
} from '#libs/runtime';
import { openAccessKeys } from './clients/auth.client.ts';
import { openPeopleDirectory } from './clients/users.client.ts';
import type { TasksConfig } from './config.ts';
import { databaseDefinition } from './db/database.ts';
import { constraintErrors, createRepositories } from './db/repositories.ts';
import { createTaskReader } from './db/task-reader.ts';
import type { EventFeed, PeopleDirectory, TasksDeps } from './deps.ts';
import { taskEventsChannel } from './domain/task.events.ts';
import { internalTasksHandlers, tasksHandlers } from './rpc/tasks.handlers.ts';
import { pruneRequests } from './use-cases/prune-requests.ts';

export interface AppOverrides {
  logger?: Logger;
  clock?: Clock;
  /** Instead of auth's. */
  accessKeys?: AccessKeys;
}

interface Base {
  config: TasksConfig;
  logger: Logger;
  metrics: Metrics;
  /** Keeps what must be ended. */
  parts: ReturnType<typeof createParts>;
}

/** Starts the whole service: everything is constructed here, once. What was started is stopped again when a later part fails. */
export async function startApp(config: TasksConfig, overrides: AppOverrides = {}): Promise<RunningApp> {
  const logger = overrides.logger ?? createLogger({ service: config.service, level: config.logLevel });
  // The server needs all of the grace period for its calls; the parts after it only have to close.
  const parts = createParts({ logger, graceMs: config.shutdownGraceMs + 1000 });
  const base = { config, logger, metrics: createMetrics(config.service), parts };
  try {
    const database = await openTasksDatabase(base);
    const { accessKeys, people } = openClients(base, overrides);
    const eventFeed = openEventFeed(base, database);
    const deps = createDeps({ database, people, eventFeed }, config, overrides);
    startPruning(base, deps);
    const running: { server?: GrpcServer } = {};
    const { host, httpPort: port } = config;
    const http = await startHttpPort({ host, port, metrics: base.metrics, isReady: () => running.server?.isServing() ?? false });
    parts.add({ name: 'http port', stop: () => http.close() });
    const server = await startGrpc(base, { database, deps, accessKeys });
    running.server = server;
    parts.add({ name: 'grpc server', stop: server.stop });
    parts.add({ name: 'waiting readers', stop: async () => eventFeed.endWaits() });
    return { grpcPort: server.port, httpPort: http.port, logger, stop: parts.stop };
  } catch (error) {
    await parts.stop();
    throw error;
  }
}

async function openTasksDatabase({ config, logger, metrics, parts }: Base): Promise<Database> {
  const { databaseUrl, poolSize } = config;
  const database = await openDatabase({ ...databaseDefinition(databaseUrl), poolSize, logger, metrics, applicationName: 'taskflow-tasks' });
  parts.add({ name: 'database', stop: () => database.close() });
  return database;
}

/** `endWaits` lets readers that wait for events go, so that they do not hold up the end of the server. */
function openEventFeed({ config, logger, parts }: Base, { reader }: Database): EventFeed & { endWaits(): void } {
  const signal = createEventSignal({ url: config.databaseUrl, channel: taskEventsChannel, logger });
  parts.add({ name: 'event signal', stop: () => signal.stop() });
  const closing = new AbortController();
  return {
    closing: closing.signal,
    pull: (after, limit) => pullEvents(reader, after, limit),
    wait: (maxMs, abort) => signal.wait(maxMs, AbortSignal.any([abort, closing.signal])),
    endWaits: () => closing.abort(),
  };
}

/** Nobody waits for them: tasks serves while auth and users are down, and calls that need them say so. */
function openClients({ config, logger, metrics, parts }: Base, overrides: AppOverrides): { accessKeys: AccessKeys; people: PeopleDirectory } {
  const identity = createServiceIdentity({ service: config.service, privateKey: config.serviceKey });
  const people = openPeopleDirectory({ address: config.usersAddress, identity, logger, metrics });
  parts.add({ name: 'users client', stop: async () => people.close() });
  if (overrides.accessKeys !== undefined) return { accessKeys: overrides.accessKeys, people };
  const accessKeys = openAccessKeys({ address: config.authAddress, identity, logger, metrics });
  parts.add({ name: 'access keys', stop: () => accessKeys.stop() });
  void accessKeys.start();
  return { accessKeys, people };
}

interface Outside {
  database: Database;
  people: PeopleDirectory;
  eventFeed: EventFeed;
}

function createDeps({ database, people, eventFeed }: Outside, config: TasksConfig, { clock = systemClock }: AppOverrides): TasksDeps {
  return {
    uow: database.unitOfWork(createRepositories, constraintErrors),
    taskReader: createTaskReader(database.reader),
    eventFeed,
    people,
    pageTokens: createPageTokens(config.pageTokenKey),
    clock,
    newId: uuidv7,
  };
}

const pruning = { name: 'prune-requests', intervalMs: 60_000, timeoutMs: 10_000 } as const;

function startPruning({ logger, parts }: Base, deps: TasksDeps): void {
  const { name, intervalMs, timeoutMs } = pruning;
  const run = (signal: AbortSignal) => runInBackground({ name, logger, timeoutMs, signal }, () => pruneRequests(deps));
  const loop = startLoop({ name, logger, intervalMs, run });
  parts.add({ name, stop: loop.stop });
}

interface Served {
  database: Database;
  deps: TasksDeps;
  accessKeys: AccessKeys;
}

function startGrpc({ config, logger, metrics }: Base, { database, deps, accessKeys }: Served): Promise<GrpcServer> {
  const { service, host, grpcPort, trustedProxies, shutdownGraceMs, servicePublicKeys } = config;
  return startServer({
    service,
    host,
    port: grpcPort,
    bindings: [bind(TasksServiceService, tasksHandlers(deps)), bind(InternalTasksServiceService, internalTasksHandlers(deps))],
    authenticate: createAuthenticator({ service, accessKeys, servicePublicKeys }),
    logger,
    metrics,
    trustedProxies,
    graceMs: shutdownGraceMs,
    checks: { database: () => database.check() },
  });
}
