import { openStore } from '#libs/redis';
import type { Logger, Metrics, Part } from '#libs/runtime';
import { createReadThrough, type ReadThrough, type ReadThroughOptions } from './read-through.ts';

export interface CacheConfig {
  /** The Redis that replicas share; it may evict and need not persist. */
  redisUrl: string;
  /** The first part of every key in Redis. */
  prefix: string;
  /** How long an answer of Redis is waited for; 45 when left out. */
  timeoutMs?: number;
}

export interface Cache {
  /** Values must survive JSON, and nobody may change one that was handed out. */
  readThrough<V>(options: ReadThroughOptions): ReadThrough<V>;
}

export interface CacheBase {
  logger: Logger;
  metrics: Metrics;
  /** Gets what must be ended. */
  parts: { add(part: Part): void };
}

/** Begins to connect to the Redis of the cache, and keeps trying. Never waits for it: without Redis each process remembers alone. */
export function openCache({ logger, metrics, parts }: CacheBase, { redisUrl, prefix, timeoutMs }: CacheConfig): Cache {
  const store = openStore(redisUrl, { purpose: 'cache', name: 'cache', logger, metrics, timeoutMs });
  parts.add({ name: 'cache', stop: async () => store.close() });
  return { readThrough: (options) => createReadThrough({ store, prefix, metrics }, options) };
}
