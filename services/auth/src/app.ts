import { AuthServiceService, InternalAuthServiceService } from '#contract/auth/v1/auth';
import { openServiceDatabase, uuidv7, type Database } from '#libs/db';
import { createOutbox, type Outbox } from '#libs/events';
import { bind, createRevocationFollower, openPorts, startApplication, type RevocationFollower, type ServiceBase } from '#libs/grpc';
import { openLimits, type Limits } from '#libs/limits';
import { systemClock, type Clock, type Logger, type RunningApp } from '#libs/runtime';
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
import { createPasswordGuard } from './security/password-guard.ts';
import { createPasswordHasher } from './security/password-hasher.ts';
import { createRefreshTokens } from './security/refresh-tokens.ts';
import { createSigningKeyRing, type SigningKeyRing } from './security/signing-key-ring.ts';
import { startCleaning, startPreparation } from './start-up.ts';
import { ensureAdministrator } from './use-cases/ensure-administrator.ts';
import { pruneRequests } from './use-cases/prune-requests.ts';
import { removeExpiredRevocations } from './use-cases/remove-expired-revocations.ts';
import { removeExpiredSessions } from './use-cases/remove-expired-sessions.ts';

export interface AppOverrides {
  logger?: Logger;
  clock?: Clock;
  passwords?: PasswordHasher;
}

type Base = ServiceBase<AuthConfig>;

/** Starts the whole service: everything is constructed here, once. */
export function startApp(config: AuthConfig, overrides: AppOverrides = {}): Promise<RunningApp> {
  return startApplication(config, overrides, async (base) => {
    const limits = await openLimits(base);
    const { database, outbox, keys, feed, deps } = await createInside(base, limits, overrides);
    const { logger, parts } = base;
    outbox.start();
    parts.add({ name: 'outbox', stop: () => outbox.stop() });
    const cleaning = startCleaning({ logger, clean: () => clean(deps) });
    parts.add({ name: 'session cleaning', stop: cleaning.stop });
    const preparation = await startPreparation({ logger, prepare: () => prepare(config, deps) });
    parts.add({ name: 'preparation', stop: preparation.stop });
    const revocations = followOwnRevocations(base, feed);
    return openPorts(base, {
      bindings: [bind(AuthServiceService, authHandlers(deps)), bind(InternalAuthServiceService, internalAuthHandlers(deps))],
      access: { accessKeys: keys, revocations, checks: { revocations: () => revocations.check() } },
      limits,
      schemaVersion: database.schemaVersion,
      checks: { database: () => database.check(), preparation: preparation.check },
    });
  });
}

interface Inside {
  database: Database;
  outbox: Outbox<OutboxCalls>;
  keys: SigningKeyRing;
  feed: RevocationFeed;
  deps: AuthDeps;
}

// Short, since a message that died with its process waits for longer than this before another one takes it over.
const profileTimeoutMs = 3000;

type OutboxCalls = { 'upsert-profile': ProfileUpsert };

async function createInside(base: Base, limits: Limits, overrides: AppOverrides): Promise<Inside> {
  const { config, logger, metrics } = base;
  const { clock = systemClock } = overrides;
  const { encryptionKey, sessionLifetimeMs, refreshGraceMs, jwksMaxAgeMs, keyMarginMs } = config;
  const database = await openServiceDatabase(base, databaseDefinition);
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
    passwordGuard: createPasswordGuard(await limits.attempts({ name: 'password', ...config.passwordAttempts })),
    refreshTokens: createRefreshTokens(encryptionKey),
    accessTokens: createAccessTokenIssuer({ keys }),
    signingKeys: keys,
    profileDelivery: profiles,
    revocationWatch: feed,
    settings: { sessionLifetimeMs, refreshGraceMs, jwksMaxAgeMs, keyMarginMs },
  };
  return { database, outbox, keys, feed, deps };
}

function openProfileClient({ config, identity, logger, metrics, parts }: Base): ProfileClient {
  const profiles = createProfileClient({ address: config.usersAddress, identity, logger, metrics });
  parts.add({ name: 'profile client', stop: async () => profiles.close() });
  return profiles;
}

/** The keys are made, or found to be readable, before the first caller needs them. */
async function prepare({ administrator }: AuthConfig, deps: AuthDeps): Promise<void> {
  await deps.signingKeys.listPublished();
  if (administrator !== undefined) await ensureAdministrator(deps, administrator);
}

async function clean(deps: AuthDeps): Promise<{ again: boolean }> {
  const outcomes = [await removeExpiredSessions(deps), await removeExpiredRevocations(deps), await pruneRequests(deps)];
  return { again: outcomes.some(({ again }) => again) };
}

/** auth checks tokens as every other service does; it only has a shorter way to the stream. */
function followOwnRevocations({ logger, metrics, parts }: Base, feed: RevocationFeed): RevocationFollower {
  const follower = createRevocationFollower({ watch: (signal) => toRevocationsMessages(feed.watch(signal)), logger, metrics });
  feed.start();
  follower.start();
  parts.add({ name: 'revocations', stop: async () => void (await Promise.all([follower.stop(), feed.stop()])) });
  return follower;
}
