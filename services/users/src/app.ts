import { InternalUsersServiceService, UsersServiceService } from '#contract/users/v1/users';
import { createPageTokens, openDatabase, type Database } from '#libs/db';
import { bind, createAuthenticator, createServiceIdentity, startServer, type AccessKeys, type GrpcServer } from '#libs/grpc';
import {
  createLogger,
  createMetrics,
  createParts,
  startHttpPort,
  systemClock,
  type Clock,
  type Logger,
  type Metrics,
  type RunningApp,
} from '#libs/runtime';
import { openAccessKeys } from './clients/auth.client.ts';
import type { UsersConfig } from './config.ts';
import { createRepositories, databaseDefinition } from './db/database.ts';
import { createProfileReader } from './db/profile.reader.ts';
import type { UsersDeps } from './deps.ts';
import { internalUsersHandlers } from './rpc/internal-users.handlers.ts';
import { usersHandlers } from './rpc/users.handlers.ts';

export interface AppOverrides {
  logger?: Logger;
  clock?: Clock;
  /** Instead of auth's. */
  accessKeys?: AccessKeys;
}

type Parts = ReturnType<typeof createParts>;

interface Base {
  config: UsersConfig;
  logger: Logger;
  metrics: Metrics;
}

/** Starts the whole service: everything is constructed here, once. What was started is stopped again when a later part fails. */
export async function startApp(config: UsersConfig, overrides: AppOverrides = {}): Promise<RunningApp> {
  const logger = overrides.logger ?? createLogger({ service: config.service, level: config.logLevel });
  const base = { config, logger, metrics: createMetrics(config.service) };
  // The server needs all of the grace period for its calls; the parts after it only have to close.
  const parts = createParts({ logger, graceMs: config.shutdownGraceMs + 1000 });
  try {
    const database = await openUsersDatabase(base);
    parts.add({ name: 'database', stop: () => database.close() });
    const access = overrides.accessKeys === undefined ? startAccessKeys(base, parts) : { accessKeys: overrides.accessKeys };
    const deps = createDeps(base, database, overrides);
    let isReady = (): boolean => false;
    const { host, httpPort: port } = config;
    const http = await startHttpPort({ host, port, metrics: base.metrics, isReady: () => isReady() });
    parts.add({ name: 'http port', stop: () => http.close() });
    const server = await startGrpc(base, { database, deps, ...access });
    parts.add({ name: 'grpc server', stop: server.stop });
    isReady = server.isServing;
    return { grpcPort: server.port, httpPort: http.port, logger, stop: parts.stop };
  } catch (error) {
    await parts.stop();
    throw error;
  }
}

function openUsersDatabase({ config, logger, metrics }: Base): Promise<Database> {
  const { databaseUrl, poolSize } = config;
  return openDatabase({ ...databaseDefinition(databaseUrl), poolSize, logger, metrics, applicationName: 'taskflow-users' });
}

/** Users serves while auth is down, and calls that need keys say that they are missing. */
function startAccessKeys({ config, logger, metrics }: Base, parts: Parts): Access {
  const identity = createServiceIdentity({ service: config.service, privateKey: config.serviceKey });
  const accessKeys = openAccessKeys({ address: config.authAddress, identity, logger, metrics });
  parts.add({ name: 'access keys', stop: () => accessKeys.stop() });
  void accessKeys.start();
  return { accessKeys, checks: { accessKeys: () => accessKeys.check() } };
}

function createDeps({ config }: Base, database: Database, { clock = systemClock }: AppOverrides): UsersDeps {
  return {
    uow: database.unitOfWork(createRepositories),
    reader: createProfileReader(database.reader),
    pageTokens: createPageTokens(config.pageTokenKey),
    clock,
  };
}

interface Access {
  accessKeys: AccessKeys;
  checks?: Record<string, () => Promise<void>>;
}

interface Served extends Access {
  database: Database;
  deps: UsersDeps;
}

function startGrpc({ config, logger, metrics }: Base, { database, deps, accessKeys, checks }: Served): Promise<GrpcServer> {
  const { service, host, grpcPort, trustedProxies, shutdownGraceMs, servicePublicKeys } = config;
  return startServer({
    service,
    host,
    port: grpcPort,
    bindings: [bind(UsersServiceService, usersHandlers(deps)), bind(InternalUsersServiceService, internalUsersHandlers(deps))],
    authenticate: createAuthenticator({ service, accessKeys, servicePublicKeys }),
    logger,
    metrics,
    trustedProxies,
    graceMs: shutdownGraceMs,
    checks: { database: () => database.check(), ...checks },
  });
}
