import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { AuditServiceService } from '#contract/audit/v1/audit';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { createMigratedDatabase, startTcpProxy, testPostgresUrl, type TcpProxy } from '#dev/cluster';
import { createLogger, type Clock, type RunningApp } from '#libs/runtime';
import { Client } from 'pg';
import { makeConfig, makeServiceKeys, nobody } from '#dev/testing';
import { stopAfterEach } from '../../../libs/dev/testing/src/stop-after-each.ts';
import { openStub, type Stub } from '#dev/stubs';
import { startApp, type AppOverrides } from '../src/app.ts';
import type { AuthConfig } from '../src/config.ts';

/** The real time, moved ahead as far as a test wants. */
export interface TestClock extends Clock {
  advance(ms: number): void;
}

export function createTestClock(): TestClock {
  let aheadMs = 0;
  return {
    now: () => new Date(Date.now() + aheadMs),
    advance: (ms) => void (aheadMs += ms),
  };
}

export interface TestAuth extends Place {
  auth: Stub<typeof AuthServiceService>;
  audit: Stub<typeof AuditServiceService>;
  app: RunningApp;
  /** Everything that was logged. */
  logLines: string[];
  sql<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

export interface TestAuthOptions {
  config?: Partial<AuthConfig>;
  overrides?: AppOverrides;
  /** Lets the service reach its database another way than the test does. */
  databaseUrl?: (url: string) => string;
  /** Another replica on the same database, with the same keys. */
  replicaOf?: TestAuth;
  /** Whether to wait until it is ready. It knows the revocations by then; before, sensitive methods refuse. */
  awaitReady?: boolean;
}

/** The service in this process, on a database of its own, ready. Users is down unless its address is configured. */
export async function startAuth({
  config: changes,
  overrides,
  databaseUrl,
  replicaOf,
  awaitReady = true,
}: TestAuthOptions = {}): Promise<TestAuth> {
  const place = replicaOf ?? (await createPlace(databaseUrl));
  const { clock } = place;
  const config = { ...place.config, ...changes };
  const logLines: string[] = [];
  const logger = createLogger({
    service: 'auth',
    level: 'trace',
    destination: { write: (line) => void logLines.push(line) },
  });
  const app = await startApp(config, { logger, clock, ...overrides });
  if (awaitReady) await untilReady(app);
  const auth = openStub(AuthServiceService, `127.0.0.1:${app.grpcPort}`);
  const audit = openStub(AuditServiceService, `127.0.0.1:${app.grpcPort}`);
  const connection = new Client({ connectionString: place.directUrl });
  connection.on('error', () => undefined);
  await connection.connect();
  return {
    directUrl: place.directUrl,
    auth,
    audit,
    app,
    config,
    clock,
    logLines,
    sql: async <Row>(text: string, values: unknown[] = []) => (await connection.query(text, values)).rows as Row[],
    stop: async () => {
      auth.close();
      audit.close();
      await app.stop();
      await connection.end().catch(() => undefined);
      // A replica does not own the database.
      if (place !== replicaOf) await place.drop();
    },
    drop: place.drop,
  };
}

/** By file of tests: this module is loaded once for all files of a worker. */
const stops = new Map<string, (stop: () => unknown) => void>();
const testFile = (): string => expect.getState().testPath ?? '';

/** To be called by each file whose tests start something: has it stopped after each of them. */
export const useAfterTest = (): void => void stops.set(testFile(), stopAfterEach());

/** Registers what has to be done when the running test has ended; the last one is done first. */
export function afterTest(cleanUp: () => Promise<unknown>): void {
  const stopAfter = stops.get(testFile());
  if (stopAfter === undefined) throw new Error('this file does not call useAfterTest');
  stopAfter(cleanUp);
}

/** The service for the running test, after which it is stopped. */
export async function startForTest(options: TestAuthOptions = {}): Promise<TestAuth> {
  const service = await startAuth(options);
  afterTest(service.stop);
  return service;
}

/** As startForTest, with a proxy before the database, which can cut the service off. */
export async function startBehindProxy(config: Partial<AuthConfig> = {}): Promise<{ cut: TestAuth; proxy: TcpProxy }> {
  const proxy = await startTcpProxy(testPostgresUrl());
  afterTest(proxy.close);
  const { host } = new URL(proxy.url);
  return {
    proxy,
    cut: await startForTest({ config, databaseUrl: (url) => Object.assign(new URL(url), { host }).href }),
  };
}

async function untilReady({ httpPort }: RunningApp): Promise<void> {
  while (!(await fetch(`http://127.0.0.1:${httpPort}/readyz`)).ok) await pause(20);
}

/** What the replicas of a service share. */
interface Place {
  config: AuthConfig;
  clock: TestClock;
  /** The way of the test to the database. */
  directUrl: string;
  drop(): Promise<void>;
}

async function createPlace(reach = (url: string) => url): Promise<Place> {
  const { url, drop } = await createMigratedDatabase(testPostgresUrl(), 'auth');
  return { config: createConfig(reach(url)), clock: createTestClock(), directUrl: url, drop };
}

function createConfig(databaseUrl: string): AuthConfig {
  return {
    ...makeConfig('auth', databaseUrl, makeServiceKeys()),
    passwordAttempts: { free: 5, firstWaitMs: 1000, longestWaitMs: 900_000 },
    usersAddress: nobody,
    schedulerAddress: nobody,
    tasksAddress: nobody,
    deletionGraceMs: 30 * 24 * 3_600_000,
    recovery: {
      sendsMail: false,
      resetLifetimeMs: 15 * 60_000,
      verificationLifetimeMs: 24 * 3_600_000,
      mailsPerHour: 5,
      unverifiedMaySignIn: true,
    },
    encryptionKeys: [randomBytes(32)],
    administrator: undefined,
    refreshGraceMs: 10_000,
    registration: 'open',
    invitationLifetimeMs: 7 * 24 * 3_600_000,
    sessionLifetimeMs: 30 * 24 * 3_600_000,
    jwksMaxAgeMs: 60_000,
    keyMarginMs: 30_000,
  };
}
