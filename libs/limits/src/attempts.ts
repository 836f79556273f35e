import type { Store } from '#libs/redis';
import type { Metrics } from '#libs/runtime';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import { askOrElse, consume, type LimitDecision } from './decision.ts';

export interface AttemptsOptions {
  /** Part of the keys: "login". */
  name: string;
  /** How many attempts need no wait. */
  free: number;
  /** The wait after the last free attempt; it doubles with each further one. */
  firstWaitMs: number;
  longestWaitMs: number;
}

/**
 * Attempts at a secret, counted for all replicas together. An attempt is taken before the secret is checked, so that
 * parallel attempts cannot slip past. It is forgotten or given back when it was not a wrong one.
 */
export interface Attempts {
  /**
   * Takes an attempt, unless the caller must wait. A refusal takes nothing and does not prolong the wait. Never throws.
   */
  take(key: string): Promise<LimitDecision>;
  /** The secret was right: forgets all attempts with this key. Never throws. */
  forget(key: string): Promise<void>;
  /** The secret could not be checked: the attempt does not count. Never throws. */
  giveBack(key: string): Promise<void>;
}

/** An attempt is remembered for this long after the longest wait. */
const memorySeconds = 86_400;
const fallbackSeconds = 60;

// Replaces the package's script, with its arguments (points, seconds to keep) and its answer (consumed, ms until the
// next); consumed > limit refuses. One hash holds the attempts and the time of the next one.
function growingWaits({ free, firstWaitMs, longestWaitMs }: AttemptsOptions): string {
  return `
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local tried = tonumber(redis.call('hget', KEYS[1], 'tried') or '0')
local next = tonumber(redis.call('hget', KEYS[1], 'next') or '0')
if tonumber(ARGV[1]) < 0 then
  tried = math.max(0, tried - 1)
  next = now
elseif now < next then
  return {${free} + 1, next - now}
else
  tried = tried + 1
  next = now
  if tried >= ${free} then next = now + math.min(${longestWaitMs}, ${firstWaitMs} * 2 ^ math.min(tried - ${free}, 40)) end
end
redis.call('hset', KEYS[1], 'tried', tried, 'next', string.format('%.0f', next))
redis.call('expire', KEYS[1], ARGV[2])
return {1, next - now}
`;
}

interface AttemptsBase extends AttemptsOptions {
  prefix: string;
  metrics: Metrics;
}

/** Needs a store of its own: the package keeps one script per connection. */
export function createAttempts(store: Store, { prefix, metrics, ...options }: AttemptsBase): Attempts {
  const keyPrefix = `${prefix}:attempts:${options.name}`;
  const shared = new RateLimiterRedis({
    storeClient: store.redis,
    keyPrefix,
    points: options.free,
    duration: memorySeconds,
    customIncrTtlLuaScript: growingWaits(options),
  });
  const fallback = new RateLimiterMemory({ keyPrefix, points: options.free, duration: fallbackSeconds });
  const blind = metrics.counter(
    'taskflow_attempts_store_failures_total',
    'Attempts at a secret that only this process could count.',
    ['name'],
  );
  const refused = metrics.counter('taskflow_attempts_refused_total', 'Attempts at a secret that came too early.', [
    'name',
  ]);

  return {
    take: async (key) => {
      const decision = await askOrElse(
        store,
        () => consume(shared, key),
        () => {
          blind.inc({ name: options.name });
          return consume(fallback, key);
        },
      );
      if (!decision.allowed) refused.inc({ name: options.name });
      return decision;
    },
    forget: async (key) => {
      await fallback.delete(key);
      await askOrElse(
        store,
        () => shared.delete(key),
        async () => false,
      );
    },
    giveBack: async (key) => {
      if ((await fallback.get(key)) !== null) await fallback.reward(key);
      await askOrElse(
        store,
        async () => void (await shared.reward(key)),
        async () => undefined,
      );
    },
  };
}
