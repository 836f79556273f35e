import { settlesWithin, type Logger } from '#libs/runtime';
import type { Redis } from 'ioredis';

/** Redis may drop jobs by itself. */
export class UnsafeRedisError extends Error {
  override readonly name = 'UnsafeRedisError';

  constructor(policy: string) {
    super(`Redis has maxmemory-policy "${policy}" and may drop jobs; set it to "noeviction"`);
  }
}

/** Read from INFO, because managed servers often refuse CONFIG. Undefined when it is not there. */
async function readPolicy(redis: Redis): Promise<string | undefined> {
  const memory = await redis.info('memory');
  return /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
}

/** The fault of a Redis that may drop jobs; undefined when it keeps them or does not say. */
async function findFault(redis: Redis, logger: Logger): Promise<UnsafeRedisError | undefined> {
  const policy = await readPolicy(redis).catch(() => undefined);
  if (policy === undefined || policy === 'noeviction') return undefined;
  const fault = new UnsafeRedisError(policy);
  logger.error({ err: fault, policy }, 'Redis is not safe for jobs');
  return fault;
}

/** How long the start waits for a silent Redis. The policy is checked when the answer comes. */
const startLimitMs = 2_000;

/**
 * Logs an error when Redis may drop jobs, at the start and at every new connection. Lost jobs are found again, but
 * late. With `refuse` the start throws UnsafeRedisError. A running process goes on, because stopping would delay the
 * jobs more.
 */
export async function watchEvictionPolicy(redis: Redis, logger: Logger, refuse: boolean): Promise<void> {
  const first = findFault(redis, logger);
  if (!(await settlesWithin(first, startLimitMs))) {
    // The command waits for the connection and is answered later.
    first.catch(() => undefined);
  } else {
    const fault = await first;
    if (fault !== undefined && refuse) throw fault;
  }
  redis.on('ready', () => void findFault(redis, logger));
}
