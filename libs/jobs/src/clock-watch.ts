import type { Logger } from '#libs/runtime';
import type { Redis } from 'ioredis';
import { settlesWithin } from './time-limit.ts';

/** Well beyond what synchronised clocks differ by, and about what the identity of a service may be off. */
const maxSkewMs = 30_000;
const checkIntervalMs = 10_000;
const firstCheckMs = 2_000;

async function skewOf(redis: Redis): Promise<number> {
  const [seconds] = await redis.time();
  return Date.now() - Number(seconds) * 1_000;
}

/**
 * Tells whether this process's clock is far from that of Redis, at once and whenever that changes. A process with a wrong
 * clock can prove its identity to nobody and would delay what it postpones by as much. Resolves after the first look, or
 * soon without one when Redis is away. Call the result to end it.
 */
export async function watchClock(redis: Redis, logger: Logger, onChange: (isOff: boolean) => void): Promise<() => void> {
  let wasOff = false;
  const look = async (): Promise<void> => {
    const skewMs = await skewOf(redis);
    const isOff = Math.abs(skewMs) > maxSkewMs;
    if (isOff === wasOff) return;
    wasOff = isOff;
    if (isOff) logger.error({ skewMs }, 'the clock is wrong: this process takes no jobs');
    else logger.warn({ skewMs }, 'the clock is right again');
    onChange(isOff);
  };
  const lookQuietly = (): Promise<void> => look().catch(() => undefined);
  await settlesWithin(lookQuietly(), firstCheckMs);
  const timer = setInterval(() => void lookQuietly(), checkIntervalMs).unref();
  return () => clearInterval(timer);
}
