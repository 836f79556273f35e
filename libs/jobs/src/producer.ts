import { AppError } from '#libs/errors';
import { assertNoOpenTransaction, type Logger } from '#libs/runtime';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { openProducerConnection } from './connection.ts';

export interface ProducerOptions {
  redisUrl: string;
  /** The first part of every key, so that several clusters can share a Redis. */
  prefix: string;
  logger: Logger;
  /** How long one answer of Redis may take. Default 1 s. */
  commandTimeoutMs?: number;
}

/** Returns the queue of that name; throws when there is none. */
export type Queues = (name: string) => Queue;

/** BullMQ queues over one connection that fails fast. */
export interface Producer {
  isReachable(): boolean;
  /**
   * Runs commands. Throws AppError unavailable/QUEUE_UNAVAILABLE within about two seconds when Redis does not answer.
   */
  use<T>(work: (queues: Queues, redis: Redis) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function queueUnavailable(cause: unknown): AppError {
  const details = { retryAfterMs: 1_000 };
  return new AppError('unavailable', 'QUEUE_UNAVAILABLE', 'the job queue is out of reach', { details, cause });
}

/** A BullMQ queue that was constructed on a failing connection never recovers, so it is thrown away. */
async function openQueues(names: readonly string[], redis: Redis, prefix: string): Promise<Queue[]> {
  const queues = names.map((name) => new Queue(name, { connection: redis, prefix }));
  for (const queue of queues) queue.on('error', () => undefined);
  try {
    for (const queue of queues) await queue.waitUntilReady();
    return queues;
  } catch (error) {
    await closeAll(queues);
    throw error;
  }
}

async function closeAll(queues: readonly Queue[]): Promise<void> {
  for (const queue of queues) await queue.close().catch(() => undefined);
}

function finderOf(queues: readonly Queue[]): Queues {
  return (name) => {
    const queue = queues.find((candidate) => candidate.name === name);
    if (queue === undefined) throw new Error(`no queue is called "${name}"`);
    return queue;
  };
}

export function openProducer(options: ProducerOptions, names: readonly string[]): Producer {
  const redis = openProducerConnection(options.redisUrl, options.logger, options.commandTimeoutMs);
  let opening: Promise<Queue[]> | undefined;
  const open = (): Promise<Queue[]> => {
    const queues = openQueues(names, redis, options.prefix);
    queues.catch(() => (opening = undefined));
    return queues;
  };

  return {
    isReachable: () => redis.status === 'ready',
    use: async (work) => {
      assertNoOpenTransaction('a call of the job queue');
      if (redis.status !== 'ready') throw queueUnavailable(new Error(`the connection to Redis is "${redis.status}"`));
      try {
        opening ??= open();
        return await work(finderOf(await opening), redis);
      } catch (error) {
        throw queueUnavailable(error);
      }
    },
    close: async () => {
      await closeAll((await opening?.catch(() => undefined)) ?? []);
      redis.disconnect();
    },
  };
}
