import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { migrate } from '#libs/db';
import { createDatabase, testPostgresUrl } from '#libs/devcluster';
import { openPublicClient, type PublicClient } from '#libs/grpc';
import { createLogger, type Clock, type RunningApp } from '#libs/runtime';
import { Client } from 'pg';
import { startApp, type AppOverrides } from '../src/app.ts';
import type { AuthConfig } from '../src/config.ts';
import { databaseDefinition } from '../src/db/database.ts';

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

export interface TestAuth {
  auth: PublicClient<typeof AuthServiceService>;
  app: RunningApp;
  config: AuthConfig;
  clock: TestClock;
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
}

/** The service in this process, on a database of its own. Users is down unless its address is configured. */
export async function startAuth({ config: changes, overrides, databaseUrl = (url) => url, replicaOf }: TestAuthOptions = {}): Promise<TestAuth> {
  // A replica may outlive the one it was started after: it does not own the database.
  const database = replicaOf === undefined ? await createDatabase(testPostgresUrl()) : undefined;
  const logLines: string[] = [];
  const logger = createLogger({ service: 'auth', level: 'trace', destination: { write: (line) => void logLines.push(line) } });
  const config = { ...(replicaOf?.config ?? createConfig(databaseUrl(database?.url ?? ''))), ...changes };
  const clock = replicaOf?.clock ?? createTestClock();
  const directUrl = database?.url ?? config.databaseUrl;
  if (database !== undefined) await migrate({ ...databaseDefinition(directUrl), logger });
  const app = await startApp(config, { logger, clock, ...overrides });
  const auth = openPublicClient(AuthServiceService, `127.0.0.1:${app.grpcPort}`);
  const connection = new Client({ connectionString: directUrl });
  connection.on('error', () => undefined);
  await connection.connect();
  return {
    auth,
    app,
    config,
    clock,
    logLines,
    sql: async <Row>(text: string, values: unknown[] = []) => (await connection.query(text, values)).rows as Row[],
    stop: async () => {
      auth.close();
      await app.stop();
      await connection.end().catch(() => undefined);
      await database?.drop();
    },
  };
}

function createConfig(databaseUrl: string): AuthConfig {
  const { privateKey } = generateKeyPairSync('ed25519');
  return {
    service: 'auth',
    env: 'test',
    logLevel: 'trace',
    host: '127.0.0.1',
    grpcPort: 0,
    httpPort: 0,
    databaseUrl,
    poolSize: 10,
    serviceKey: privateKey.export({ format: 'jwk' }) as AuthConfig['serviceKey'],
    servicePublicKeys: { keys: [] },
    shutdownGraceMs: 2000,
    trustedProxies: [],
    usersAddress: '127.0.0.1:1',
    encryptionKey: randomBytes(32),
    administrator: undefined,
    refreshGraceMs: 10_000,
    sessionLifetimeMs: 30 * 24 * 3_600_000,
  };
}
