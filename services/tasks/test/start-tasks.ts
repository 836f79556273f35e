import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { Client } from 'pg';
import { InternalTasksServiceService, TasksServiceService } from '#contract/tasks/v1/tasks';
import { migrate, uuidv7 } from '#libs/db';
import { createDatabase, testPostgresUrl } from '#libs/devcluster';
import { accessTokenRules, createServiceIdentity, openPublicClient, type PublicClient } from '#libs/grpc';
import { createLogger, type RunningApp } from '#libs/runtime';
import { startApp, type AppOverrides } from '../src/app.ts';
import type { TasksConfig } from '../src/config.ts';
import { databaseDefinition } from '../src/db/database.ts';

const services = ['auth', 'users', 'tasks', 'scheduler'] as const;
type ServiceName = (typeof services)[number];

export interface TestUser {
  userId: string;
  /** Call options that prove to be this user. */
  as: { token: string };
}

export interface TestTasks {
  tasks: PublicClient<typeof TasksServiceService>;
  internal: PublicClient<typeof InternalTasksServiceService>;
  app: RunningApp;
  databaseUrl: string;
  logLines: string[];
  sql<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  asService(service: ServiceName): Promise<{ metadata: Record<string, string> }>;
  /** From now on there is no database, and every connection to it is lost. */
  cutDatabase(): Promise<void>;
  newUser(role?: 'user' | 'admin'): Promise<TestUser>;
  stop(): Promise<void>;
}

/** Nobody listens here: users and auth are down for a service that is started alone. */
const nobody = '127.0.0.1:1';

/** The service alone in this process, on a database of its own, with keys of its own. There is no Redis at all. */
export async function startTasks(overrides: AppOverrides & { config?: Partial<TasksConfig> } = {}): Promise<TestTasks> {
  const database = await createDatabase(testPostgresUrl());
  const logLines: string[] = [];
  const logger = createLogger({ service: 'tasks', level: 'debug', destination: { write: (line) => void logLines.push(line) } });
  await migrate({ ...databaseDefinition(database.url), logger });

  const pairs = Object.fromEntries(services.map((service) => [service, generateKeyPairSync('ed25519')])) as Record<ServiceName, { privateKey: KeyObject; publicKey: KeyObject }>;
  const privateJwk = (service: ServiceName) => pairs[service].privateKey.export({ format: 'jwk' }) as TasksConfig['serviceKey'];
  const signing = await generateKeyPair('EdDSA');
  const config: TasksConfig = {
    service: 'tasks',
    env: 'test',
    logLevel: 'debug',
    host: '127.0.0.1',
    grpcPort: 0,
    httpPort: 0,
    databaseUrl: database.url,
    poolSize: 10,
    serviceKey: privateJwk('tasks'),
    servicePublicKeys: { keys: await Promise.all(services.map(async (kid) => ({ ...(await exportJWK(pairs[kid].publicKey)), kid }))) } as TasksConfig['servicePublicKeys'],
    shutdownGraceMs: 2000,
    trustedProxies: [],
    authAddress: nobody,
    usersAddress: nobody,
    pageTokenKey: randomBytes(32),
    retentionDays: 30,
    eventRetentionDays: 90,
    ...overrides.config,
  };
  const accessKeys = { get: (kid: string) => Promise.resolve(kid === 'test' ? signing.publicKey : undefined) };
  const app = await startApp(config, { logger, accessKeys, ...overrides });
  const tasks = openPublicClient(TasksServiceService, `127.0.0.1:${app.grpcPort}`);
  const internal = openPublicClient(InternalTasksServiceService, `127.0.0.1:${app.grpcPort}`);
  const connection = new Client({ connectionString: database.url });
  connection.on('error', () => undefined);
  await connection.connect();

  return {
    tasks,
    internal,
    app,
    databaseUrl: database.url,
    logLines,
    sql: async <Row>(text: string, values: unknown[] = []) => (await connection.query(text, values)).rows as Row[],
    asService: async (service) => {
      const identity = createServiceIdentity({ service, privateKey: privateJwk(service) as never });
      return { metadata: { 'x-taskflow-service': await identity.tokenFor('tasks') } };
    },
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
      tasks.close();
      internal.close();
      await app.stop();
      await connection.end().catch(() => undefined);
      await database.drop();
    },
  };
}
