// What every call of every service goes through, around a handler that does nothing: libs/grpc without a use-case.
import { importJWK, type CryptoKey, type JWK } from 'jose';
import { GetTaskResponse, TasksServiceService } from '#contract/tasks/v1/tasks';
import { runServerProcess } from '#libs/bench';
import { bind, createAuthenticator, startServer, type Authenticator, type Handlers } from '#libs/grpc';
import { openLimits } from '#libs/limits';
import { createLogger, createMetrics, createParts } from '#libs/runtime';

export interface ChainSettings {
  /** Encoded. */
  answer: Uint8Array;
  /** auth's public keys; undefined: everybody is let in as the same user, unchecked. */
  keys: readonly (JWK & { kid: string })[] | undefined;
  /** Limits are counted here; undefined: they are off. */
  limitsRedisUrl: string | undefined;
}

async function authenticatorOf({ keys }: ChainSettings): Promise<Authenticator> {
  const user = { kind: 'user', userId: '00000000-0000-7000-8000-000000000001', role: 'user', sessionId: 'none' } as const;
  if (keys === undefined) return async () => ({ user });
  const byId = new Map<string, CryptoKey>();
  for (const key of keys) byId.set(key.kid, (await importJWK(key, 'EdDSA')) as CryptoKey);
  return createAuthenticator({ service: 'tasks', accessKeys: { get: async (kid) => byId.get(kid) }, servicePublicKeys: { keys: [] } });
}

/** So many that nobody reaches them: they are counted all the same. */
const limits = { '*': { requests: 1_000_000_000, perSeconds: 60 } };

runServerProcess(async (settings: ChainSettings) => {
  const logger = createLogger({ service: 'chain', level: 'info' });
  const metrics = createMetrics('tasks');
  const answer = GetTaskResponse.decode(settings.answer);
  const parts = createParts({ logger, graceMs: 1000 });
  const { limitsRedisUrl: redisUrl } = settings;
  const config = { service: 'tasks' as const, limits: { redisUrl: redisUrl ?? '', prefix: 'bench-chain', overrides: limits } };
  const counted = redisUrl === undefined ? undefined : await openLimits({ config, logger, metrics, parts });
  const server = await startServer({
    service: 'tasks',
    host: '127.0.0.1',
    port: 0,
    bindings: [bind(TasksServiceService, { getTask: async () => answer } as unknown as Handlers<typeof TasksServiceService>)],
    authenticate: await authenticatorOf(settings),
    logger,
    metrics,
    trustedProxies: [],
    graceMs: 1000,
    checks: {},
    ...(counted === undefined ? {} : { limit: counted.interceptor }),
  });
  return server.port;
});
