import { AuthServiceService, InternalAuthServiceService } from '#contract/auth/v1/auth';
import { ServerFeature } from '#contract/server/v1/server';
import { openAudit, type AuditLog } from '#libs/audit';
import { openServiceDatabase, uuidv7, type Database } from '#libs/db';
import { createOutbox, type Outbox } from '#libs/events';
import { bind } from '#libs/grpc';
import { createRevocationFollower, type RevocationFollower } from '#libs/identity';
import { openPorts, startApplication, type ServiceBase } from '#libs/service';
import { openLimits, type Limits } from '#libs/limits';
import { type Clock, type Logger, type RunningApp } from '#libs/runtime';
import { createMailClient, type MailClient } from './clients/mail.client.ts';
import { createFirstAttempts } from './clients/first-attempts.ts';
import { createPeopleFinder } from './clients/people.client.ts';
import { createRemovers } from './clients/removal.clients.ts';
import { createProjectsClient } from './clients/projects.client.ts';
import { createProfileClient, type ProfileClient } from './clients/profile.client.ts';
import type { AuthConfig } from './config.ts';
import { createAuthReader } from './db/auth.reader.ts';
import { constraints, createRepositories, databaseDefinition } from './db/database.ts';
import { exportedData } from './db/exported-data.ts';
import { createRemovalReader } from './db/removal.reader.ts';
import { createRevocationFeed, type RevocationFeed } from './db/revocation-feed.ts';
import type { AuthDeps, PasswordHasher, PeopleFinder } from './deps.ts';
import type { AccountRemoval } from './domain/account-deletion.repository.ts';
import type { MailHandOver, MailWish } from './domain/mail.repository.ts';
import type { Projects } from './domain/project-invitee.ports.ts';
import type { ProjectJoin } from './domain/project-invitee.repository.ts';
import { toProfileUpsert, type ProfileUpsert } from './domain/profile-upsert.ts';
import type { Removers } from './domain/removal.ports.ts';
import { authHandlers } from './rpc/auth.handlers.ts';
import { internalAuthHandlers } from './rpc/internal-auth.handlers.ts';
import { createAccessTokenIssuer } from './security/access-token-issuer.ts';
import { createCredentials } from './security/credentials.ts';
import { createKeyCipher } from './security/key-cipher.ts';
import { createSigningKeyRing, type SigningKeyRing } from './security/signing-key-ring.ts';
import { createTokenUses, type TokenUseRecorder } from './security/token-uses.ts';
import { startCleaning, startPreparation, startRemovals } from './start-up.ts';
import { carryOutWish } from './use-cases/carry-out-wish.ts';
import { checkPersonalToken } from './use-cases/check-personal-token.ts';
import { ensureAdministrator } from './use-cases/ensure-administrator.ts';
import { joinProject } from './use-cases/join-project.ts';
import { removeAccount } from './use-cases/remove-account.ts';
import { removeExpired } from './use-cases/remove-expired.ts';
import { setMailboxes } from './use-cases/set-mailboxes.ts';
import { watchRevocations } from './use-cases/watch-revocations.ts';

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
    const { database, audit, outbox, removalOutbox, keys, feed, tokenUses, deps } = await createInside(
      base,
      limits,
      overrides,
    );
    const { logger, parts } = base;
    outbox.start();
    parts.add({ name: 'outbox', stop: () => outbox.stop() });
    tokenUses.start();
    parts.add({ name: 'token uses', stop: tokenUses.stop });
    const cleaning = startCleaning({ logger, clean: () => clean(deps) });
    parts.add({ name: 'session cleaning', stop: cleaning.stop });
    removalOutbox.start();
    parts.add({ name: 'removal outbox', stop: () => removalOutbox.stop() });
    for (const loop of startRemovals(base, deps)) parts.add(loop);
    const preparation = await startPreparation({ logger, prepare: () => prepare(config, deps) });
    parts.add({ name: 'preparation', stop: preparation.stop });
    const revocations = followOwnRevocations(base, feed);
    return openPorts(base, {
      bindings: [
        bind(AuthServiceService, authHandlers(deps)),
        bind(InternalAuthServiceService, internalAuthHandlers(deps)),
      ],
      access: {
        accessKeys: keys,
        revocations,
        checkPersonalToken: (tokenHash) => checkPersonalToken(deps, tokenHash),
        checks: { revocations: () => revocations.check() },
      },
      features: config.recovery.sendsMail ? [ServerFeature.MAIL] : [],
      limits,
      audit,
      exportedData,
      snapshots: database.snapshots,
      pageTokens: deps.pageTokens,
      schemaVersion: database.schemaVersion,
      checks: { database: () => database.check(), preparation: preparation.check },
    });
  });
}

interface Inside {
  database: Database;
  audit: AuditLog;
  outbox: Outbox<OutboxCalls>;
  removalOutbox: Outbox<RemovalCalls>;
  keys: SigningKeyRing;
  feed: RevocationFeed;
  tokenUses: TokenUseRecorder;
  deps: AuthDeps;
}

// Short: another replica takes over a call of a dead process only after this time.
const outboxTimeoutMs = 3000;
/** Its calls take longer, and may. */
const removalTimeoutMs = 40_000;

type RemovalCalls = { 'remove-account': AccountRemoval };
type OutboxCalls = {
  'upsert-profile': ProfileUpsert;
  'hand-over-mail': MailHandOver;
  'carry-out-wish': MailWish;
  'join-project': ProjectJoin;
};

async function createInside(base: Base, limits: Limits, overrides: AppOverrides): Promise<Inside> {
  const { config, logger } = base;
  const { clock = base.clock } = overrides;
  const database = await openServiceDatabase(base, databaseDefinition);
  const audit = openAudit(base, database);
  const profiles = openProfileClient(base);
  const mailClient = openMailClient(base);
  const projects = openProjects(base);
  const outbox = createOutbox<OutboxCalls>({
    ...base,
    database,
    timeoutMs: outboxTimeoutMs,
    handlers: {
      'upsert-profile': (profile) => profiles.send(profile),
      'hand-over-mail': (mail) => mailClient.handOver(mail),
      'carry-out-wish': (wish) => carryOutWish(deps, wish),
      'join-project': (join) => joinProject({ ...deps, projects }, join),
    },
  });
  const removalOutbox = createRemovalOutbox(base, database, () => deps);
  const feed = createRevocationFeed({ reader: database.reader, clock, logger });
  const uow = database.unitOfWork(
    (em) =>
      createRepositories(em, {
        audit,
        profiles: { upsert: (account) => outbox.add(em, 'upsert-profile', toProfileUpsert(account)) },
        mails: {
          handOver: (mail) => outbox.add(em, 'hand-over-mail', mail),
          carryOut: (wish) => outbox.add(em, 'carry-out-wish', wish),
        },
        removals: { goOn: (accountId) => removalOutbox.add(em, 'remove-account', { accountId }) },
        joins: { ask: (join) => outbox.add(em, 'join-project', join) },
        onRevocation: feed.wake,
      }),
    constraints,
  );
  const keys = createSigningKeyRing({ uow, cipher: createKeyCipher(config.encryptionKeys), clock, logger });
  const tokenUses = createTokenUses({ uow, clock, logger });
  const deps: AuthDeps = {
    uow,
    reader: createAuthReader(database.reader),
    removals: createRemovalReader(database.reader),
    people: openPeople(base),
    audit,
    clock,
    logger,
    newId: uuidv7,
    ...(await createCredentials(config, limits, overrides.passwords)),
    tokenUses,
    accessTokens: createAccessTokenIssuer({ keys }),
    signingKeys: keys,
    profileDelivery: profiles,
    joinAttempts: createFirstAttempts(),
    revocationWatch: feed,
    settings: config,
  };
  return { database, audit, outbox, removalOutbox, keys, feed, tokenUses, deps };
}

function openProfileClient({ config, identity, logger, metrics, parts }: Base): ProfileClient {
  const profiles = createProfileClient({ address: config.usersAddress, identity, logger, metrics });
  parts.add({ name: 'profile client', stop: async () => profiles.close() });
  return profiles;
}

function openMailClient({ config, identity, logger, metrics, parts }: Base): MailClient {
  const mails = createMailClient({ address: config.schedulerAddress, identity, logger, metrics });
  parts.add({ name: 'mail client', stop: async () => mails.close() });
  return mails;
}

function openProjects({ config, identity, logger, metrics, parts }: Base): Projects {
  const projects = createProjectsClient({ address: config.tasksAddress, identity, logger, metrics });
  parts.add({ name: 'projects client', stop: async () => projects.close() });
  return projects;
}

function openPeople({ config, identity, logger, metrics, parts }: Base): PeopleFinder {
  const { usersAddress: users, tasksAddress: tasks } = config;
  const people = createPeopleFinder({ users, tasks }, { identity, logger, metrics, newId: uuidv7 });
  parts.add({ name: 'people clients', stop: async () => people.close() });
  return people;
}

/** `deps` are there when the outbox is started. */
function createRemovalOutbox(base: Base, database: Database, deps: () => AuthDeps): Outbox<RemovalCalls> {
  const removers = openRemovers(base);
  return createOutbox<RemovalCalls>({
    ...base,
    database,
    timeoutMs: removalTimeoutMs,
    handlers: { 'remove-account': (removal) => removeAccount({ ...deps(), removers }, removal) },
  });
}

function openRemovers({ config, identity, logger, metrics, parts }: Base): Removers {
  const { tasksAddress: tasks, schedulerAddress: scheduler, usersAddress: users } = config;
  const removers = createRemovers({ tasks, scheduler, users }, { identity, logger, metrics });
  parts.add({ name: 'removal clients', stop: async () => removers.close() });
  return removers;
}

/** Makes the first key, or checks that the keys are readable, before a caller needs them. */
async function prepare({ administrator }: AuthConfig, deps: AuthDeps): Promise<void> {
  await deps.signingKeys.listPublished();
  if (administrator !== undefined) await ensureAdministrator(deps, administrator);
}

async function clean(deps: AuthDeps): Promise<{ again: boolean }> {
  // Again, since a replica of the release before may have stored accounts during the rollout.
  await setMailboxes(deps);
  return removeExpired(deps);
}

/** auth checks tokens like every other service, but follows the stream in its own process. */
function followOwnRevocations({ logger, metrics, clock, parts }: Base, feed: RevocationFeed): RevocationFollower {
  const follower = createRevocationFollower({
    watch: (signal) => watchRevocations({ revocationWatch: feed }, signal),
    logger,
    metrics,
    clock,
  });
  feed.start();
  follower.start();
  parts.add({ name: 'revocations', stop: async () => void (await Promise.all([follower.stop(), feed.stop()])) });
  return follower;
}
