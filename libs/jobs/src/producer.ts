import { AppError } from '#libs/errors';
import { assertNoOpenTransaction, type Logger } from '#libs/runtime';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { openProducerConnection } from './connection.ts';

export interface ProducerOptions {
  redisUrl: string;
  /** The first part of every key, so that one Redis can serve several clusters. */
  prefix: string;
  /** Of the queue. */
  name: string;
  logger: Logger;
}

/** One BullMQ queue over one connection that fails fast. */
export interface Producer {
  isReachable(): boolean;
  /** Runs commands; throws AppError unavailable/QUEUE_UNAVAILABLE within about two seconds when Redis does not answer. */
  use<T>(work: (queue: Queue, redis: Redis) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function queueUnavailable(cause: unknown): AppError {
  const details = { retryAfterMs: 1_000 };
  return new AppError('unavailable', 'QUEUE_UNAVAILABLE', 'the job queue is out of reach', { details, cause });
}

export function openProducer(options: ProducerOptions): Producer {
  const redis = openProducerConnection(options.redisUrl, options.logger);
  let opening: Promise<Queue> | undefined;

  /** BullMQ's Queue never recovers from a connection that failed while it was constructed, so that one is thrown away. */
  const open = async (): Promise<Queue> => {
    const queue = new Queue(options.name, { connection: redis, prefix: options.prefix });
    queue.on('error', () => undefined);
    try {
      await queue.waitUntilReady();
      return queue;
    } catch (error) {
      opening = undefined;
      await queue.close().catch(() => undefined);
      throw error;
    }
  };

  return {
    isReachable: () => redis.status === 'ready',
    use: async (work) => {
      assertNoOpenTransaction('a call of the job queue');
      if (redis.status !== 'ready') throw queueUnavailable(new Error(`the connection to Redis is "${redis.status}"`));
      try {
        opening ??= open();
        return await work(await opening, redis);
      } catch (error) {
        throw queueUnavailable(error);
      }
    },
    close: async () => {
      const queue = await opening?.catch(() => undefined);
      await queue?.close().catch(() => undefined);
      redis.disconnect();
    },
  };
}
