import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { Client } from 'pg';
import { NotificationsServiceService, SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import { migrate, uuidv7 } from '#libs/db';
import { createDatabase, testPostgresUrl, testRedisUrl } from '#libs/devcluster';
import { accessTokenRules, openPublicClient, type PublicClient } from '#libs/grpc';
import { createLogger, type RunningApp } from '#libs/runtime';
import { startApp } from '../src/app.ts';
import type { SchedulerConfig } from '../src/config.ts';
import { databaseDefinition } from '../src/db/database.ts';
import type { TestUser } from './start-cluster.ts';

export interface TestScheduler {
  scheduler: PublicClient<typeof SchedulerServiceService>;
  notifications: PublicClient<typeof NotificationsServiceService>;
  app: RunningApp;
  logLines: string[];
  sql<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  /** From now on there is no database, and every connection to it is lost. */
  cutDatabase(): Promise<void>;
  newUser(role?: 'user' | 'admin'): Promise<TestUser>;
  stop(): Promise<void>;
}

/** Nobody listens here: auth and tasks are down for a service that is started alone. */
const nobody = '127.0.0.1:1';

/** The service alone in this process, on a database and keys of its own. */
export async function startScheduler(given: Partial<SchedulerConfig> = {}): Promise<TestScheduler> {
  const database = await createDatabase(testPostgresUrl());
  const logLines: string[] = [];
  const logger = createLogger({ service: 'scheduler', level: 'debug', destination: { write: (line) => void logLines.push(line) } });
  await migrate({ ...databaseDefinition(database.url), logger });
  const own = generateKeyPairSync('ed25519');
  const signing = await generateKeyPair('EdDSA');
  const config: SchedulerConfig = {
    service: 'scheduler',
    env: 'test',
    logLevel: 'debug',
    host: '127.0.0.1',
    grpcPort: 0,
    httpPort: 0,
    databaseUrl: database.url,
    poolSize: 10,
    serviceKey: own.privateKey.export({ format: 'jwk' }) as SchedulerConfig['serviceKey'],
    servicePublicKeys: { keys: [{ ...(await exportJWK(own.publicKey)), kid: 'scheduler' }] } as SchedulerConfig['servicePublicKeys'],
    shutdownGraceMs: 2_000,
    trustedProxies: [],
    limits: { redisUrl: testRedisUrl(), prefix: `test-${randomUUID()}`, overrides: { '*': 'unlimited' } },
    authAddress: nobody,
    tasksAddress: nobody,
    redisUrl: testRedisUrl(),
    queuePrefix: `test-${randomUUID()}`,
    pageTokenKey: randomBytes(32),
    sweepIntervalMs: 3_600_000,
    ...given,
  };
  const app = await startApp(config, { logger, accessKeys: { get: (kid) => Promise.resolve(kid === 'test' ? signing.publicKey : undefined) } });
  const scheduler = openPublicClient(SchedulerServiceService, `127.0.0.1:${app.grpcPort}`);
  const notifications = openPublicClient(NotificationsServiceService, `127.0.0.1:${app.grpcPort}`);
  const connection = new Client({ connectionString: database.url });
  connection.on('error', () => undefined);
  await connection.connect();

  return {
    scheduler,
    notifications,
    app,
    logLines,
    sql: async <Row>(text: string, values: unknown[] = []) => (await connection.query(text, values)).rows as Row[],
    cutDatabase: () => database.drop(),
    newUser: async (role = 'user') => {
      const userId = uuidv7();
      const token = await new SignJWT({ sid: uuidv7(), role })
        .setProtectedHeader({ alg: accessTokenRules.algorithm, typ: accessTokenRules.typ, kid: 'test' })
        .setIssuer(accessTokenRules.issuer)
        .setAudience(accessTokenRules.audience)
        .setSubject(userId)
        .setIssuedAt()
        .setExpirationTime('30m')
        .setJti(uuidv7())
        .sign(signing.privateKey);
      return { userId, as: { token } };
    },
    stop: async () => {
      scheduler.close();
      notifications.close();
      await app.stop();
      await connection.end().catch(() => undefined);
      await database.drop();
    },
  };
}
