import { AuthServiceService, InternalAuthServiceService } from '#contract/auth/v1/auth';
import { openDatabase, uuidv7, type Database } from '#libs/db';
import { createOutbox, type Outbox } from '#libs/events';
import {
  bind,
  createAuthenticator,
  createRevocationFollower,
  createServiceIdentity,
  startServer,
  type GrpcServer,
  type RevocationFollower,
} from '#libs/grpc';
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
import { createRevocationFeed, type RevocationFeed } from './db/revocation-feed.ts';
import type { AuthDeps, PasswordHasher } from './deps.ts';
import { toProfileUpsert, type ProfileUpsert } from './domain/profile-upsert.ts';
import { authHandlers, internalAuthHandlers } from './rpc/auth.handlers.ts';
import { toRevocationsMessages } from './rpc/auth.mapper.ts';
import { createAccessTokenIssuer } from './security/access-token-issuer.ts';
import { createKeyCipher } from './security/key-cipher.ts';
import { createPasswordHasher } from './security/password-hasher.ts';
import { createRefreshTokens } from './security/refresh-tokens.ts';
import { createSigningKeyRing, type SigningKeyRing } from './security/signing-key-ring.ts';
import { startCleaning, startPreparation, type Preparation } from './start-up.ts';
import { ensureAdministrator } from './use-cases/ensure-administrator.ts';
import { removeExpiredRevocations } from './use-cases/remove-expired-revocations.ts';
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
    const { database, outbox, profiles, deps, keys, feed } = await createInside(base, overrides);
    parts.add({ name: 'database', stop: () => database.close() });
    parts.add({ name: 'profile client', stop: async () => profiles.close() });
    outbox.start();
    parts.add({ name: 'outbox', stop: () => outbox.stop() });
    const cleaning = startCleaning({ logger, clean: () => clean(deps) });
    parts.add({ name: 'session cleaning', stop: cleaning.stop });
    const preparation = await startPreparation({ logger, prepare: () => prepare(config, deps) });
    parts.add({ name: 'preparation', stop: preparation.stop });

    let isReady = (): boolean => false;
    const { host, httpPort: port } = config;
    const http = await startHttpPort({ host, port, metrics: base.metrics, isReady: () => isReady() });
    parts.add({ name: 'http port', stop: () => http.close() });
    const revocations = followOwnRevocations(base, feed);
    parts.add({ name: 'revocations', stop: async () => void (await Promise.all([revocations.stop(), feed.stop()])) });
    const server = await startGrpc(base, { database, deps, keys, preparation, revocations });
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
  feed: RevocationFeed;
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
  const feed = createRevocationFeed({ reader: database.reader, clock, logger });
  const uow = database.unitOfWork(
    (em) =>
      createRepositories(em, {
        profiles: { upsert: (account) => outbox.add(em, 'upsert-profile', toProfileUpsert(account)) },
        onRevocation: feed.wake,
      }),
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
    accessTokens: createAccessTokenIssuer({ keys }),
    signingKeys: keys,
    profileDelivery: profiles,
    revocationWatch: feed,
    settings: { sessionLifetimeMs, refreshGraceMs },
  };
  return { database, outbox, profiles, keys, feed, deps };
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

async function clean(deps: AuthDeps): Promise<{ again: boolean }> {
  const outcomes = [await removeExpiredSessions(deps), await removeExpiredRevocations(deps)];
  return { again: outcomes.some(({ again }) => again) };
}

/** auth checks tokens as every other service does; it only has a shorter way to the stream. */
function followOwnRevocations({ logger, metrics }: Base, feed: RevocationFeed): RevocationFollower {
  const follower = createRevocationFollower({ watch: (signal) => toRevocationsMessages(feed.watch(signal)), logger, metrics });
  feed.start();
  follower.start();
  return follower;
}

interface Served {
  database: Database;
  deps: AuthDeps;
  keys: SigningKeyRing;
  preparation: Preparation;
  revocations: RevocationFollower;
}

function startGrpc({ config, logger, metrics }: Base, { database, deps, keys, preparation, revocations }: Served): Promise<GrpcServer> {
  const { service, host, grpcPort, trustedProxies, shutdownGraceMs, servicePublicKeys } = config;
  return startServer({
    service,
    host,
    port: grpcPort,
    bindings: [bind(AuthServiceService, authHandlers(deps)), bind(InternalAuthServiceService, internalAuthHandlers(deps))],
    authenticate: createAuthenticator({ service, accessKeys: keys, servicePublicKeys, revocations }),
    revocations,
    logger,
    metrics,
    trustedProxies,
    graceMs: shutdownGraceMs,
    checks: { database: () => database.check(), preparation: preparation.check, revocations: () => revocations.check() },
  });
}
