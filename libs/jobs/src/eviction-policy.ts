import type { Redis } from 'ioredis';

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

/** Throws UnsafeRedisError unless Redis keeps what it was given. Lost jobs are found again, but late. */
export async function checkEvictionPolicy(redis: Redis): Promise<void> {
  const policy = await readPolicy(redis);
  if (policy !== undefined && policy !== 'noeviction') throw new UnsafeRedisError(policy);
}
