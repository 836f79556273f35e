import { AuthServiceService } from '#contract/auth/v1/auth';
import { openDatabase, uuidv7, type Database } from '#libs/db';
import { createOutbox, type Outbox } from '#libs/events';
import { bind, createAuthenticator, createServiceIdentity, startServer, type GrpcServer } from '#libs/grpc';
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
import { createProfileClient, type ProfileClient } from './clients/profile.client.ts';
import type { AuthConfig } from './config.ts';
import { constraints, createRepositories, databaseDefinition } from './db/database.ts';
import type { AuthDeps, PasswordHasher } from './deps.ts';
import { toProfileUpsert, type ProfileUpsert } from './domain/profile-upsert.ts';
import { authHandlers } from './rpc/auth.handlers.ts';
import { createAccessTokenIssuer } from './security/access-token-issuer.ts';
import { createKeyCipher } from './security/key-cipher.ts';
import { createPasswordHasher } from './security/password-hasher.ts';
import { createRefreshTokens } from './security/refresh-tokens.ts';
import { createSigningKeyRing, type SigningKeyRing } from './security/signing-key-ring.ts';
import { startCleaning, startPreparation, type Preparation } from './start-up.ts';
import { ensureAdministrator } from './use-cases/ensure-administrator.ts';
import { removeExpiredSessions } from './use-cases/remove-expired-sessions.ts';

export interface AppOverrides {
  logger?: Logger;
  clock?: Clock;
  passwords?: PasswordHasher;
}

interface Base {
  config: AuthConfig;
  logger: Logger;
  metrics: Metrics;
  clock: Clock;
}

/** Starts the whole service: everything is constructed here, once. What was started is stopped again when a later part fails. */
export async function startApp(config: AuthConfig, overrides: AppOverrides = {}): Promise<RunningApp> {
  const logger = overrides.logger ?? createLogger({ service: config.service, level: config.logLevel });
  const base = { config, logger, metrics: createMetrics(config.service), clock: overrides.clock ?? systemClock };
  // The server needs all of the grace period for its calls; the parts after it only have to close.
  const parts = createParts({ logger, graceMs: config.shutdownGraceMs + 1000 });
  try {
    const { database, outbox, profiles, deps, keys } = await createInside(base, overrides);
    parts.add({ name: 'database', stop: () => database.close() });
    parts.add({ name: 'profile client', stop: async () => profiles.close() });
    outbox.start();
    parts.add({ name: 'outbox', stop: () => outbox.stop() });
    const cleaning = startCleaning({ logger, clean: () => removeExpiredSessions(deps) });
    parts.add({ name: 'session cleaning', stop: cleaning.stop });
    const preparation = await startPreparation({ logger, prepare: () => prepare(config, deps) });
    parts.add({ name: 'preparation', stop: preparation.stop });

    let isReady = (): boolean => false;
    const { host, httpPort: port } = config;
    const http = await startHttpPort({ host, port, metrics: base.metrics, isReady: () => isReady() });
    parts.add({ name: 'http port', stop: () => http.close() });
    const server = await startGrpc(base, { database, deps, keys, preparation });
    parts.add({ name: 'grpc server', stop: server.stop });
    isReady = server.isServing;
    return { grpcPort: server.port, httpPort: http.port, logger, stop: parts.stop };
  } catch (error) {
    await parts.stop();
    throw error;
  }
}

interface Inside {
  database: Database;
  outbox: Outbox<OutboxCalls>;
  profiles: ProfileClient;
  keys: SigningKeyRing;
  deps: AuthDeps;
}

// Short, since a message that died with its process waits for longer than this before another one takes it over.
const profileTimeoutMs = 3000;

type OutboxCalls = { 'upsert-profile': ProfileUpsert };

async function createInside(base: Base, overrides: AppOverrides): Promise<Inside> {
  const { config, logger, metrics, clock } = base;
  const { databaseUrl, poolSize, encryptionKey, sessionLifetimeMs, refreshGraceMs } = config;
  const database = await openDatabase({ ...databaseDefinition(databaseUrl), poolSize, logger, metrics, applicationName: 'taskflow-auth' });
  const profiles = openProfileClient(base);
  const outbox = createOutbox<OutboxCalls>({
    database,
    logger,
    metrics,
    timeoutMs: profileTimeoutMs,
    handlers: { 'upsert-profile': (profile) => profiles.send(profile) },
  });
  const uow = database.unitOfWork(
    (em) => createRepositories(em, { upsert: (account, displayName) => outbox.add(em, 'upsert-profile', toProfileUpsert(account, displayName)) }),
    constraints,
  );
  const keys = createSigningKeyRing({ uow, cipher: createKeyCipher(encryptionKey), clock, logger });
  const deps: AuthDeps = {
    uow,
    clock,
    logger,
    newId: uuidv7,
    passwords: overrides.passwords ?? (await createPasswordHasher()),
    refreshTokens: createRefreshTokens(encryptionKey),
    accessTokens: createAccessTokenIssuer({ keys, clock }),
    signingKeys: keys,
    profileDelivery: profiles,
    settings: { sessionLifetimeMs, refreshGraceMs },
  };
  return { database, outbox, profiles, keys, deps };
}

function openProfileClient({ config, logger, metrics }: Base): ProfileClient {
  const identity = createServiceIdentity({ service: config.service, privateKey: config.serviceKey });
  return createProfileClient({ address: config.usersAddress, identity, logger, metrics });
}

/** The keys are made, or found to be readable, before the first caller needs them. */
async function prepare({ administrator }: AuthConfig, deps: AuthDeps): Promise<void> {
  await deps.signingKeys.listPublished();
  if (administrator !== undefined) await ensureAdministrator(deps, administrator);
}

interface Served {
  database: Database;
  deps: AuthDeps;
  keys: SigningKeyRing;
  preparation: Preparation;
}

function startGrpc({ config, logger, metrics }: Base, { database, deps, keys, preparation }: Served): Promise<GrpcServer> {
  const { service, host, grpcPort, trustedProxies, shutdownGraceMs, servicePublicKeys } = config;
  return startServer({
    service,
    host,
    port: grpcPort,
    bindings: [bind(AuthServiceService, authHandlers(deps))],
    authenticate: createAuthenticator({ service, accessKeys: keys, servicePublicKeys }),
    logger,
    metrics,
    trustedProxies,
    graceMs: shutdownGraceMs,
    checks: { database: () => database.check(), preparation: preparation.check },
  });
}
