import { generateKeyPairSync, randomBytes, randomUUID, type KeyObject } from 'node:crypto';
import { InternalUsersServiceService, UsersServiceService } from '#contract/users/v1/users';
import { migrate } from '#libs/db';
import { createDatabase, testPostgresUrl, testRedisUrl } from '#libs/devcluster';
import { accessTokenRules, createServiceIdentity, openPublicClient, type PublicClient } from '#libs/grpc';
import { createLogger, type RunningApp } from '#libs/runtime';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { Client } from 'pg';
import { startApp, type AppOverrides } from '../src/app.ts';
import type { UsersConfig } from '../src/config.ts';
import { databaseDefinition } from '../src/db/database.ts';

type Caller = 'auth' | 'users' | 'tasks' | 'scheduler';
const callers: Caller[] = ['auth', 'users', 'tasks', 'scheduler'];

export interface TestUsers {
  users: PublicClient<typeof UsersServiceService>;
  internal: PublicClient<typeof InternalUsersServiceService>;
  app: RunningApp;
  config: UsersConfig;
  /** Everything that was logged. */
  logLines: string[];
  sql<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Metadata that proves to be this service. */
  asService(caller: Caller): Promise<{ metadata: Record<string, string> }>;
  /** An access token as auth would sign it. */
  tokenFor(userId: string, role?: 'user' | 'admin', changes?: { typ?: string; key?: CryptoKey }): Promise<string>;
  stop(): Promise<void>;
}

export interface TestUsersOptions {
  config?: Partial<UsersConfig>;
  overrides?: AppOverrides;
  /** Fetches access keys from the configured auth, which is down unless a test starts one. */
  realKeys?: boolean;
  /** Lets the service reach its database another way than the test does. */
  databaseUrl?: (url: string) => string;
}

/** The service in this process, on a database of its own, with keys of its own. */
export async function startUsers({ config: changes, overrides, realKeys, databaseUrl = (url) => url }: TestUsersOptions = {}): Promise<TestUsers> {
  const database = await createDatabase(testPostgresUrl());
  const logLines: string[] = [];
  const logger = createLogger({ service: 'users', level: 'trace', destination: { write: (line) => void logLines.push(line) } });
  await migrate({ ...databaseDefinition(database.url), logger });

  const keyPairs = callers.map((caller) => [caller, generateKeyPairSync('ed25519')]);
  const serviceKeys = Object.fromEntries(keyPairs) as Record<Caller, { publicKey: KeyObject; privateKey: KeyObject }>;
  const signing = await generateKeyPair('EdDSA', { extractable: true });
  const config: UsersConfig = {
    service: 'users',
    env: 'test',
    logLevel: 'trace',
    host: '127.0.0.1',
    grpcPort: 0,
    httpPort: 0,
    databaseUrl: databaseUrl(database.url),
    poolSize: 5,
    serviceKey: serviceKeys.users.privateKey.export({ format: 'jwk' }) as UsersConfig['serviceKey'],
    servicePublicKeys: { keys: await Promise.all(callers.map(async (kid) => ({ ...(await exportJWK(serviceKeys[kid].publicKey)), kid }))) } as UsersConfig['servicePublicKeys'],
    shutdownGraceMs: 2000,
    trustedProxies: [],
    limits: { redisUrl: testRedisUrl(), prefix: `test-${randomUUID()}`, overrides: { '*': 'unlimited' } },
    authAddress: '127.0.0.1:1',
    pageTokenKey: randomBytes(32),
    ...changes,
  };
  const ownKeys = { get: (kid: string) => Promise.resolve(kid === 'test' ? signing.publicKey : undefined) };
  const app = await startApp(config, { logger, ...(realKeys === true ? {} : { accessKeys: ownKeys }), ...overrides });
  const address = `127.0.0.1:${app.grpcPort}`;
  const users = openPublicClient(UsersServiceService, address);
  const internal = openPublicClient(InternalUsersServiceService, address);
  const connection = new Client({ connectionString: database.url });
  connection.on('error', () => undefined);
  await connection.connect();

  return {
    users,
    internal,
    app,
    config,
    logLines,
    sql: async <Row>(text: string, values: unknown[] = []) => (await connection.query(text, values)).rows as Row[],
    asService: async (caller) => {
      const privateKey = serviceKeys[caller].privateKey.export({ format: 'jwk' });
      return { metadata: { 'x-taskflow-service': await createServiceIdentity({ service: caller, privateKey: privateKey as never }).tokenFor('users') } };
    },
    tokenFor: (userId, role = 'user', { typ = accessTokenRules.typ, key = signing.privateKey } = {}) =>
      new SignJWT({ sid: '0198c0de-0000-7000-8000-00000000005e', role })
        .setProtectedHeader({ alg: 'EdDSA', typ, kid: 'test' })
        .setIssuer(accessTokenRules.issuer)
        .setAudience(accessTokenRules.audience)
        .setSubject(userId)
        .setIssuedAt()
        .setExpirationTime('10m')
        .setJti(randomBytes(8).toString('hex'))
        .sign(key),
    stop: async () => {
      users.close();
      internal.close();
      await app.stop();
      await connection.end().catch(() => undefined);
      await database.drop();
    },
  };
}
