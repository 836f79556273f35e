import { openStore, type Store } from '#libs/redis';
import type { Logger, Metrics, Part } from '#libs/runtime';
import { createQuota, type Quota, type QuotaOptions } from './quota.ts';
import { createAttempts, type Attempts, type AttemptsOptions } from './attempts.ts';
import type { LimitsConfig } from './config.ts';
import { amountOf, createRateLimits, type LimitedMethod, type LimitInterceptor } from './rate-limits.ts';

export interface Limits {
  /** For `startServer({ limit })`: applies each method's rate limit. */
  readonly interceptor: LimitInterceptor;
  /** The limit of a method; undefined when it has none. */
  limitOf(method: LimitedMethod): { requests: number; perSeconds: number } | undefined;
  /** Growing waits for attempts at a secret; opens a connection of its own. */
  attempts(options: AttemptsOptions): Promise<Attempts>;
  /** Counts what calls do; opens a connection of its own. */
  quota(options: QuotaOptions): Promise<Quota>;
}

export interface LimitsBase {
  config: { limits: LimitsConfig };
  logger: Logger;
  metrics: Metrics;
  /** Receives the connections, to be closed at shutdown. */
  parts: { add(part: Part): void };
}

/** Connects to the Redis of the limits. When that is out of reach it does not fail, but keeps trying. */
export async function openLimits({ config, logger, metrics, parts }: LimitsBase): Promise<Limits> {
  const { redisUrl, prefix, overrides, timeoutMs } = config.limits;
  const open = async (name: string): Promise<Store> => {
    const store = openStore(redisUrl, { purpose: 'limits', name, logger, metrics, timeoutMs });
    parts.add({ name, stop: async () => store.close() });
    await store.waitForFirstConnection();
    return store;
  };
  const store = await open('limits');
  return {
    limitOf: (method) => amountOf(method, overrides),
    interceptor: createRateLimits({ store, prefix, overrides, metrics }),
    attempts: async (options) =>
      createAttempts(await open(`${options.name} attempts`), { prefix, metrics, ...options }),
    quota: async (options) => createQuota(await open(`${options.name} quota`), { prefix, metrics, ...options }),
  };
}
