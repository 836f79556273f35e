import type { Store } from '#libs/redis';
import type { Metrics } from '#libs/runtime';
import { RateLimiterMemory, RateLimiterRedis, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { askOrElse, consume, type LimitDecision } from './decision.ts';

export interface QuotaOptions {
  /** Part of the keys: "unknown-emails". */
  name: string;
  /** How many points each key has. */
  points: number;
  /** The time in which they are counted, from the first one taken. */
  perSeconds: number;
}

/** Counts what calls do, where the number of calls says too little; for all replicas together. */
export interface Quota {
  /** Takes points before the work, so that parallel calls are no more than calls one by one. A refusal takes none. */
  take(key: string, points: number): Promise<LimitDecision>;
  /** Returns points that turned out not to count. Never throws. */
  giveBack(key: string, points: number): Promise<void>;
}

interface QuotaBase extends QuotaOptions {
  prefix: string;
  metrics: Metrics;
}

/** Needs a store of its own: the package keeps one script per connection. Without it each process counts alone. */
export function createQuota(store: Store, { prefix, metrics, name, points, perSeconds }: QuotaBase): Quota {
  const size = { keyPrefix: `${prefix}:quota:${name}`, points, duration: perSeconds };
  const shared = new RateLimiterRedis({ storeClient: store.redis, ...size });
  const fallback = new RateLimiterMemory(size);
  const blind = metrics.counter('taskflow_quota_store_failures_total', 'Points that only this process could count.', [
    'name',
  ]);
  const refused = metrics.counter('taskflow_quota_refused_total', 'Work beyond its quota.', ['name']);

  async function takeFrom(limiter: RateLimiterAbstract, key: string, wanted: number): Promise<LimitDecision> {
    const decision = await consume(limiter, key, wanted);
    if (!decision.allowed) await limiter.reward(key, wanted);
    return decision;
  }

  return {
    take: async (key, wanted) => {
      const decision = await askOrElse(
        store,
        () => takeFrom(shared, key, wanted),
        () => {
          blind.inc({ name });
          return takeFrom(fallback, key, wanted);
        },
      );
      if (!decision.allowed) refused.inc({ name });
      return decision;
    },
    giveBack: async (key, spared) => {
      if (spared === 0) return;
      await askOrElse(
        store,
        async () => void (await shared.reward(key, spared)),
        async () => void (await fallback.reward(key, spared)),
      );
    },
  };
}
