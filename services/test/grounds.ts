import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { Client } from 'pg';
import { uuidv7 } from '#libs/db';
import { createMigratedDatabase, serviceNames, testPostgresUrl, testRedisUrl, type ServiceName } from '#libs/devcluster';
import { accessTokenRules, createServiceIdentity, type AccessKeys } from '#libs/grpc';
import type { LimitsConfig } from '#libs/limits';
import { createLogger, type Logger, type ServiceConfig } from '#libs/runtime';

/** Nobody listens here: the services that a service calls are down when it is started alone. */
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

/** What a service stands on that is started alone, in the process of a test: a database, keys and settings of its own. */
export interface Grounds {
  config: ServiceConfig & { limits: LimitsConfig; pageTokenKey: Buffer };
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
  /** From now on there is no database, and every connection to it is lost. */
  cutDatabase(): Promise<void>;
  /** To be called after the service was stopped. */
  leave(): Promise<void>;
}

/** A key for every service. */
export function makeServiceKeys(): Record<ServiceName, ServiceConfig['serviceKey']> {
  const make = () => generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return Object.fromEntries(serviceNames.map((service) => [service, make()])) as Record<ServiceName, ServiceConfig['serviceKey']>;
}

/** What every service's configuration has, for a service alone in the process of a test. */
export function makeConfig(service: ServiceName, databaseUrl: string, keys: Record<ServiceName, ServiceConfig['serviceKey']>): Grounds['config'] {
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
    // Patient, since a machine that is busy with other tests must not look like a Redis that is gone.
    limits: { redisUrl: testRedisUrl(), prefix: `test-${randomUUID()}`, overrides: { '*': 'unlimited' }, timeoutMs: 5000 },
    pageTokenKey: randomBytes(32),
  };
}

async function connect(url: string): Promise<Client> {
  const connection = new Client({ connectionString: url });
  // A test may take the database away.
  connection.on('error', () => undefined);
  await connection.connect();
  return connection;
}

function signToken(key: CryptoKey, claims: { userId: string; role: string; typ: string; expiresIn: string }): Promise<string> {
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

/** `reach` lets the service go another way to its database than the test does. */
export async function prepareGrounds(service: ServiceName, reach: (url: string) => string = (url) => url): Promise<Grounds> {
  const database = await createMigratedDatabase(testPostgresUrl(), service);
  const logLines: string[] = [];
  const logger = createLogger({ service, level: 'trace', destination: { write: (line) => void logLines.push(line) } });
  const connection = await connect(database.url);
  const keys = makeServiceKeys();
  const signing = await generateKeyPair('EdDSA', { extractable: true });
  const tokenFor: Grounds['tokenFor'] = (userId, role = 'user', { typ = accessTokenRules.typ, key = signing.privateKey, expiresIn = '30m' } = {}) =>
    signToken(key, { userId, role, typ, expiresIn });
  return {
    config: makeConfig(service, reach(database.url), keys),
    logger,
    logLines,
    accessKeys: { get: (kid) => Promise.resolve(kid === 'test' ? signing.publicKey : undefined) },
    databaseUrl: database.url,
    sql: async <Row>(text: string, values: unknown[] = []) => (await connection.query(text, values)).rows as Row[],
    asService: async (caller) => ({
      metadata: { 'x-taskflow-service': await createServiceIdentity({ service: caller, privateKey: keys[caller] }).tokenFor(service) },
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
