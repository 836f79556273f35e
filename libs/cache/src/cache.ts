import { openStore } from '#libs/redis';
import type { Logger, Metrics, Part } from '#libs/runtime';
import { createReadThrough, type ReadThrough, type ReadThroughOptions } from './read-through.ts';

export interface CacheConfig {
  /** The Redis that replicas share; it may evict and need not persist. */
  redisUrl: string;
  /** The first part of every key in Redis. */
  prefix: string;
  /** How long one answer of Redis may take. Default 45. */
  timeoutMs?: number;
}

export interface Cache {
  /** Values must survive JSON, and nobody may change one that was handed out. */
  readThrough<V extends NonNullable<unknown>>(options: ReadThroughOptions): ReadThrough<V>;
}

export interface CacheBase {
  logger: Logger;
  metrics: Metrics;
  /** Receives the connection, to be closed at shutdown. */
  parts: { add(part: Part): void };
}

/**
 * Connects to the Redis of the cache in the background and keeps trying. Without Redis each process uses only what it
 * holds itself.
 */
export function openCache({ logger, metrics, parts }: CacheBase, { redisUrl, prefix, timeoutMs }: CacheConfig): Cache {
  const store = openStore(redisUrl, { purpose: 'cache', name: 'cache', logger, metrics, timeoutMs });
  parts.add({ name: 'cache', stop: async () => store.close() });
  return { readThrough: (options) => createReadThrough({ store, prefix, metrics }, options) };
}
