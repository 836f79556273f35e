import { exportJWK, generateKeyPair, importJWK, SignJWT, type CryptoKey, type JSONWebKeySet, type JWK } from 'jose';
import pino from 'pino';
import { serviceNames, type ServiceName } from '#libs/contract';
import { createMetrics, type Logger, type Metrics } from '#libs/runtime';
import { startServer, type GrpcServer, type ServerOptions } from '../src/index.ts';
import { accessTokenRules, createAuthenticator, createServiceIdentity } from '#libs/identity';

export async function keyPair(kid: string): Promise<{ privateKey: JWK; publicKey: JWK }> {
  const pair = await generateKeyPair('EdDSA', { extractable: true });
  return {
    privateKey: { ...(await exportJWK(pair.privateKey)), kid },
    publicKey: { ...(await exportJWK(pair.publicKey)), kid },
  };
}

const userKeys = await keyPair('user-key');
const serviceKeys = Object.fromEntries(
  await Promise.all(serviceNames.map(async (name) => [name, await keyPair(name)] as const)),
) as Record<ServiceName, { privateKey: JWK; publicKey: JWK }>;

export const servicePublicKeys: JSONWebKeySet = { keys: serviceNames.map((name) => serviceKeys[name].publicKey) };
export const userPublicKey = userKeys.publicKey;
export const servicePrivateKey = (service: ServiceName): JWK => serviceKeys[service].privateKey;
export const identityOf = (service: ServiceName) =>
  createServiceIdentity({ service, privateKey: serviceKeys[service].privateKey });

export interface TokenChanges {
  claims?: Record<string, unknown>;
  without?: string[];
  header?: Record<string, unknown>;
  key?: JWK;
}

/** An access token as auth would sign it, with changes. */
export async function userToken({
  claims = {},
  without = [],
  header = {},
  key = userKeys.privateKey,
}: TokenChanges = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const all: Record<string, unknown> = {
    iss: accessTokenRules.issuer,
    aud: accessTokenRules.audience,
    sub: 'user-1',
    sid: 'session-1',
    role: 'user',
    jti: 'token-1',
    iat: now,
    exp: now + 600,
    ...claims,
  };
  for (const name of without) delete all[name];
  const signer = new SignJWT(all).setProtectedHeader({
    alg: 'EdDSA',
    typ: accessTokenRules.typ,
    kid: 'user-key',
    ...header,
  });
  return signer.sign((await importJWK(key, 'EdDSA')) as CryptoKey);
}

/** The metadata of a user. */
export const bearer = async (changes?: TokenChanges): Promise<{ authorization: string }> => ({
  authorization: `Bearer ${await userToken(changes)}`,
});

export const accessKeys = {
  get: async (kid: string) =>
    kid === 'user-key' ? ((await importJWK(userKeys.publicKey, 'EdDSA')) as CryptoKey) : undefined,
};

export interface LogLine {
  level: number;
  msg: string;
  [key: string]: unknown;
}

/** A logger that records its lines. */
export function recordingLogger(): { logger: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) });
  return { logger, lines };
}

export interface TestServer {
  server: GrpcServer;
  address: string;
  lines: LogLine[];
  metrics: Metrics;
}

/** A real server on a free port of 127.0.0.1. */
export async function startTestServer(
  options: Partial<ServerOptions> & Pick<ServerOptions, 'bindings'>,
): Promise<TestServer> {
  const { logger, lines } = recordingLogger();
  const service = options.service ?? 'users';
  const metrics = createMetrics(service);
  const server = await startServer({
    service,
    host: '127.0.0.1',
    port: 0,
    authenticate: createAuthenticator({ service, accessKeys, servicePublicKeys }),
    logger,
    metrics,
    trustedProxies: [],
    graceMs: 500,
    checks: {},
    ...options,
  });
  return { server, address: `127.0.0.1:${server.port}`, lines, metrics };
}

/** The value of the first series that begins like this; 0 when there is none. */
export async function metricOf({ metrics }: Pick<TestServer, 'metrics'>, beginning: string): Promise<number> {
  const line = (await metrics.registry.metrics()).split('\n').find((one) => one.startsWith(beginning));
  return Number(line?.split(' ').at(-1) ?? 0);
}
