import type { Logger } from '#libs/runtime';
import type { Redis } from 'ioredis';

/** Logs once that the connection is lost and once that it is back, however many attempts lie in between. */
export function reportState(redis: Redis, logger: Logger, role: string): void {
  let lost = false;
  redis.on('error', (error) => {
    if (!lost) logger.warn({ err: error, role }, 'lost Redis');
    lost = true;
  });
  redis.on('ready', () => {
    if (lost) logger.info({ role }, 'reached Redis again');
    lost = false;
  });
}
