import type { Store } from '#libs/redis';
import { batchPerTurn } from '#libs/runtime';
import { LRUCache } from 'lru-cache';

/** Values of one kind, in this process and in Redis. */
export interface Layer<V> {
  /** What this process holds. Never waits. */
  getLocal(keys: readonly string[]): Map<string, V>;
  /** What this process or Redis holds. A Redis that fails counts as empty. */
  getMany(keys: readonly string[]): Promise<Map<string, V>>;
  /** Returns at once: a value that does not reach Redis is asked for again. `ttlMs` is a positive integer. */
  setMany(values: ReadonlyMap<string, V>, ttlMs?: number): void;
  /** Removes them here and in Redis. Throws when Redis is unavailable. */
  removeMany(keys: readonly string[]): Promise<void>;
}

export interface LayerOptions {
  store: Store;
  /** The first part of every key in Redis. */
  prefix: string;
  /** How long a value lives in Redis, and in the process that has set it. */
  ttlMs: number;
  /** How much longer a value lives in a process that took it from Redis. */
  fetchedTtlMs: number;
  /** In this process; those used least recently go first. */
  maxItems: number;
}

/** The store throws only when it is unavailable; then this process uses what it holds itself. */
export function openLayer<V extends NonNullable<unknown>>(options: LayerOptions): Layer<V> {
  const { store, prefix, ttlMs, fetchedTtlMs, maxItems } = options;
  // It measures ages by the monotonic clock.
  const local = new LRUCache<string, V>({ max: maxItems, ttl: ttlMs });
  const collect = (keys: readonly string[], valueOf: (key: string, index: number) => V | undefined): Map<string, V> =>
    new Map(
      keys.flatMap((key, index) => {
        const value = valueOf(key, index);
        return value === undefined ? [] : [[key, value]];
      }),
    );
  const getLocal = (keys: readonly string[]): Map<string, V> => collect(keys, (key) => local.get(key));

  /** The lookups of one turn share a command. */
  const fetchMany = batchPerTurn(async (lookups: readonly (readonly string[])[]) => {
    const keys = [...new Set(lookups.flat())];
    const ask = store.ask(() => store.redis.mget(keys.map((key) => `${prefix}:${key}`)));
    const texts = await ask.catch((): null[] => []);
    const found = collect(keys, (_key, index) => {
      const text = texts[index];
      return typeof text === 'string' ? (JSON.parse(text) as V) : undefined;
    });
    return lookups.map((lookup) => collect(lookup, (key) => found.get(key)));
  });

  /** So do new values. */
  const storeMany = batchPerTurn(async (sets: readonly { values: ReadonlyMap<string, V>; ownTtlMs: number }[]) => {
    const pipeline = store.redis.pipeline();
    for (const { values, ownTtlMs } of sets)
      for (const [key, value] of values) pipeline.set(`${prefix}:${key}`, JSON.stringify(value), 'PX', ownTtlMs);
    await store.ask(() => pipeline.exec());
    return [];
  });

  return {
    getLocal,
    getMany: async (keys) => {
      const found = getLocal(keys);
      const missing = keys.filter((key) => !found.has(key));
      if (missing.length === 0) return found;
      const fetched = await fetchMany(missing);
      for (const [key, value] of fetched) local.set(key, value, { ttl: fetchedTtlMs });
      return new Map([...found, ...fetched]);
    },
    setMany: (values, ownTtlMs = ttlMs) => {
      if (values.size === 0) return;
      for (const [key, value] of values) local.set(key, value, { ttl: ownTtlMs });
      storeMany({ values, ownTtlMs }).catch(() => undefined);
    },
    removeMany: async (keys) => {
      for (const key of keys) local.delete(key);
      await store.ask(() => store.redis.del(...keys.map((key) => `${prefix}:${key}`)));
    },
  };
}
