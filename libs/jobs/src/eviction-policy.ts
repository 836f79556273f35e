import type { Logger } from '#libs/runtime';
import type { Redis } from 'ioredis';
import { settlesWithin } from './time-limit.ts';

/** Redis may throw jobs away by itself. */
export class UnsafeRedisError extends Error {
  override readonly name = 'UnsafeRedisError';

  constructor(policy: string) {
    super(`Redis has maxmemory-policy "${policy}" and may drop jobs; set it to "noeviction"`);
  }
}

/** The policy, read from INFO since managed servers often refuse CONFIG; undefined when it is not told. */
async function readPolicy(redis: Redis): Promise<string | undefined> {
  const memory = await redis.info('memory');
  return /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
}

/** The fault of a Redis that does not keep what it was given; undefined when it does, or does not say. */
async function findFault(redis: Redis, logger: Logger): Promise<UnsafeRedisError | undefined> {
  const policy = await readPolicy(redis).catch(() => undefined);
  if (policy === undefined || policy === 'noeviction') return undefined;
  const fault = new UnsafeRedisError(policy);
  logger.error({ err: fault, policy }, 'Redis is not safe for jobs');
  return fault;
}

/** How long the start waits for a Redis that does not answer: it is looked at when it does. */
const startLimitMs = 2_000;

/**
 * Says loudly, at the start and at every new connection, when Redis may drop jobs. Lost jobs are found again, but late.
 * With `refuse` the start throws UnsafeRedisError; a running process goes on, since stopping would delay the jobs even more.
 */
export async function watchEvictionPolicy(redis: Redis, logger: Logger, refuse: boolean): Promise<void> {
  const first = findFault(redis, logger);
  if (!(await settlesWithin(first, startLimitMs))) {
    // The command waits for the connection and is answered once there is one.
    first.catch(() => undefined);
  } else {
    const fault = await first;
    if (fault !== undefined && refuse) throw fault;
  }
  redis.on('ready', () => void findFault(redis, logger));
}
