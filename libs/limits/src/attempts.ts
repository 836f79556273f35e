import { StoreUnavailable, type Store } from '#libs/redis';
import type { Metrics } from '#libs/runtime';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import { consume, type Verdict } from './verdict.ts';

export interface AttemptsOptions {
  /** Part of the keys: "login". */
  name: string;
  /** How many attempts may follow each other freely. */
  free: number;
  /** The wait after the last free attempt; every further one doubles it. */
  firstWaitMs: number;
  longestWaitMs: number;
}

/**
 * Attempts at a secret, in all replicas together. An attempt is taken before the secret is checked, so parallel ones cannot
 * slip past, and is dropped or given back when it turns out not to have been a wrong one.
 */
export interface Attempts {
  /** Takes an attempt, unless one has to wait; then nothing is taken, and waiting does not start anew. Never throws. */
  take(key: string): Promise<Verdict>;
  /** The secret was right: forgets all attempts with this key. Never throws. */
  forget(key: string): Promise<void>;
  /** The secret could not be checked: the attempt does not count. Never throws. */
  giveBack(key: string): Promise<void>;
}

/** Attempts are forgotten this much later than the longest wait. */
const memorySeconds = 86_400;
const backstopSeconds = 60;

// Takes the place of the package's own script, with its arguments and its kind of answer: (points, seconds to keep) in,
// (consumed, ms until the next) out; consumed > limit refuses. One hash holds the attempts and when the next may come.
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

/** The store must be one of its own: the package keeps one script for each connection. */
export function createAttempts(store: Store, { prefix, metrics, ...options }: AttemptsBase): Attempts {
  const keyPrefix = `${prefix}:attempts:${options.name}`;
  const shared = new RateLimiterRedis({
    storeClient: store.redis,
    keyPrefix,
    points: options.free,
    duration: memorySeconds,
    customIncrTtlLuaScript: growingWaits(options),
  });
  const backstop = new RateLimiterMemory({ keyPrefix, points: options.free, duration: backstopSeconds });
  const blind = metrics.counter('taskflow_attempts_store_failures_total', 'Attempts at a secret that only this process could count.', ['name']);
  const refused = metrics.counter('taskflow_attempts_refused_total', 'Attempts at a secret that came too early.', ['name']);

  async function orElse<T>(ask: () => Promise<T>, otherwise: () => Promise<T>): Promise<T> {
    try {
      return await store.ask(ask);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      return otherwise();
    }
  }

  return {
    take: async (key) => {
      const verdict = await orElse(
        () => consume(shared, key),
        () => {
          blind.inc({ name: options.name });
          return consume(backstop, key);
        },
      );
      if (!verdict.allowed) refused.inc({ name: options.name });
      return verdict;
    },
    forget: async (key) => {
      await backstop.delete(key);
      await orElse(() => shared.delete(key), async () => false);
    },
    giveBack: async (key) => {
      if ((await backstop.get(key)) !== null) await backstop.reward(key);
      await orElse(async () => void (await shared.reward(key)), async () => undefined);
    },
  };
}
