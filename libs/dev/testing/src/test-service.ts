import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { Client } from 'pg';
import { uuidv7 } from '#libs/db';
import {
  createMigratedDatabase,
  forEachService,
  serviceNames,
  testPostgresUrl,
  testRedisUrl,
  type ServiceName,
} from '#dev/cluster';
import { accessTokenRules, createServiceIdentity, type AccessKeys } from '#libs/identity';
import type { LimitsConfig } from '#libs/limits';
import { createLogger, type Logger, type ServiceConfig } from '#libs/runtime';

/** Nobody listens here: the other services are down when a service runs alone. */
export const nobody = '127.0.0.1:1';

export interface TestUser {
  userId: string;
  /** Call options that prove to be this user. */
  as: { token: string };
}

interface TokenChanges {
  typ?: string;
  key?: CryptoKey;
  /** Such as "30m"; a negative one has expired. */
  expiresIn?: string;
}

/** The database, keys and settings of a service that runs alone, in the process of a test. */
export interface TestService {
  config: ServiceConfig & { limits: LimitsConfig; pageTokenKeys: Buffer[] };
  logger: Logger;
  /** Everything that was logged. */
  logLines: string[];
  /** The keys that `tokenFor` signs with. */
  accessKeys: AccessKeys;
  databaseUrl: string;
  sql<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Metadata that proves to be this service. */
  asService(caller: ServiceName): Promise<{ metadata: Record<string, string> }>;
  /** An access token as auth would sign it. */
  tokenFor(userId: string, role?: 'user' | 'admin', changes?: TokenChanges): Promise<string>;
  newUser(role?: 'user' | 'admin'): Promise<TestUser>;
  /** Drops the database and ends every connection to it. */
  cutDatabase(): Promise<void>;
  /** To be called after the service was stopped. */
  leave(): Promise<void>;
}

/** A key for every service. */
export function makeServiceKeys(): Record<ServiceName, ServiceConfig['serviceKey']> {
  const make = () => generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as ServiceConfig['serviceKey'];
  return forEachService(make);
}

/** The common configuration of a service that runs alone, in the process of a test. */
export function makeConfig(
  service: ServiceName,
  databaseUrl: string,
  keys: Record<ServiceName, ServiceConfig['serviceKey']>,
): TestService['config'] {
  const publicKeys = serviceNames.map((kid) => ({ kid, kty: 'OKP', crv: 'Ed25519', x: keys[kid].x }) as const);
  return {
    service,
    env: 'test',
    logLevel: 'trace',
    host: '127.0.0.1',
    grpcPort: 0,
    httpPort: 0,
    databaseUrl,
    poolSize: 10,
    serviceKey: keys[service],
    servicePublicKeys: { keys: publicKeys },
    shutdownGraceMs: 2000,
    trustedProxies: [],
    // A long timeout: a busy machine must not look like a lost Redis.
    limits: {
      redisUrl: testRedisUrl(),
      prefix: `test-${randomUUID()}`,
      overrides: { '*': 'unlimited' },
      timeoutMs: 5000,
    },
    pageTokenKeys: [randomBytes(32)],
  };
}

async function connect(url: string): Promise<Client> {
  const connection = new Client({ connectionString: url });
  // A test may take the database away.
  connection.on('error', () => undefined);
  await connection.connect();
  return connection;
}

function signToken(
  key: CryptoKey,
  claims: { userId: string; role: string; typ: string; expiresIn: string },
): Promise<string> {
  return new SignJWT({ sid: uuidv7(), role: claims.role })
    .setProtectedHeader({ alg: accessTokenRules.algorithm, typ: claims.typ, kid: 'test' })
    .setIssuer(accessTokenRules.issuer)
    .setAudience(accessTokenRules.audience)
    .setSubject(claims.userId)
    .setIssuedAt()
    .setExpirationTime(claims.expiresIn)
    .setJti(uuidv7())
    .sign(key);
}

/** `reach` maps the database URL of the test to that of the service, for a proxy between them. */
export async function prepareTestService(
  service: ServiceName,
  reach: (url: string) => string = (url) => url,
): Promise<TestService> {
  const database = await createMigratedDatabase(testPostgresUrl(), service);
  const logLines: string[] = [];
  const logger = createLogger({ service, level: 'trace', destination: { write: (line) => void logLines.push(line) } });
  const connection = await connect(database.url);
  const keys = makeServiceKeys();
  const signing = await generateKeyPair('EdDSA', { extractable: true });
  const tokenFor: TestService['tokenFor'] = (
    userId,
    role = 'user',
    { typ = accessTokenRules.typ, key = signing.privateKey, expiresIn = '30m' } = {},
  ) => signToken(key, { userId, role, typ, expiresIn });
  return {
    config: makeConfig(service, reach(database.url), keys),
    logger,
    logLines,
    accessKeys: { get: (kid) => Promise.resolve(kid === 'test' ? signing.publicKey : undefined) },
    databaseUrl: database.url,
    sql: async <Row>(text: string, values: unknown[] = []) => (await connection.query(text, values)).rows as Row[],
    asService: async (caller) => ({
      metadata: {
        'x-taskflow-service': await createServiceIdentity({ service: caller, privateKey: keys[caller] }).tokenFor(
          service,
        ),
      },
    }),
    tokenFor,
    newUser: async (role = 'user') => {
      const userId = uuidv7();
      return { userId, as: { token: await tokenFor(userId, role) } };
    },
    cutDatabase: () => database.drop(),
    leave: async () => {
      await connection.end().catch(() => undefined);
      await database.drop();
    },
  };
}
