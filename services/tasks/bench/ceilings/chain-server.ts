// The interceptors of every call around a handler that does nothing: libs/grpc without a use-case.
import { GetTaskResponse, TasksServiceService } from '#contract/tasks/v1/tasks';
import { runServerProcess } from '#dev/bench';
import { bind, startServer, type Authenticator, type Handlers } from '#libs/grpc';
import { openLimits } from '#libs/limits';
import { createLogger, createMetrics, createParts } from '#libs/runtime';
import { countedLimits } from '../data/limits.ts';
import { authenticatorWith, type Keys } from './authenticator.ts';

export interface ChainSettings {
  /** Encoded. */
  answer: Uint8Array;
  /** auth's public keys; undefined = every call is the same user, without a check. */
  keys: Keys | undefined;
  /** Where limits are counted; undefined = off. */
  limitsRedisUrl: string | undefined;
}

const user = { kind: 'user', userId: '00000000-0000-7000-8000-000000000001', role: 'user', sessionId: 'none' } as const;
const anybody: Authenticator = async () => ({ user });

runServerProcess(async (settings: ChainSettings) => {
  const logger = createLogger({ service: 'chain', level: 'info' });
  const metrics = createMetrics('tasks');
  const answer = GetTaskResponse.decode(settings.answer);
  const parts = createParts({ logger, graceMs: 1000 });
  const { limitsRedisUrl: redisUrl } = settings;
  const config = {
    service: 'tasks' as const,
    limits: { redisUrl: redisUrl ?? '', prefix: 'bench-chain', overrides: countedLimits },
  };
  const counted = redisUrl === undefined ? undefined : await openLimits({ config, logger, metrics, parts });
  const server = await startServer({
    service: 'tasks',
    host: '127.0.0.1',
    port: 0,
    bindings: [
      bind(TasksServiceService, { getTask: async () => answer } as unknown as Handlers<typeof TasksServiceService>),
    ],
    authenticate: settings.keys === undefined ? anybody : await authenticatorWith(settings.keys),
    logger,
    metrics,
    trustedProxies: [],
    graceMs: 1000,
    checks: {},
    ...(counted === undefined ? {} : { limit: counted.interceptor }),
  });
  return server.port;
});
