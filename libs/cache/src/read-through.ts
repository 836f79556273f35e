import type { Store } from '#libs/redis';
import { assertNoOpenTransaction, type Metrics } from '#libs/runtime';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisDriver } from 'bentocache/drivers/redis';
import type { CacheProvider } from 'bentocache/types';

export interface ReadThroughOptions {
  /** Part of the keys and a label of the metric: "people-1". Another one whenever the shape of the values changes. */
  name: string;
  /**
   * How long a value counts as current in Redis, from before it was asked for, and how long in a process that took it from
   * there. So nobody gets one that is older than twice this, whatever the clocks of the replicas say.
   */
  freshMs: number;
  /** How long a value is remembered for the time when nobody can be asked. */
  rememberMs: number;
  /** Of each kind, in a process; those used least recently go first. */
  maxItems: number;
}

/** What could be learned about some keys. */
export interface Learned<V> {
  /** The keys about which it is known whether there is a value. */
  asked: ReadonlySet<string>;
  /** Values not older than twice `freshMs`. A key that was asked about and is not here has none. */
  current: ReadonlyMap<string, V>;
  /** Older values, of keys about which nobody could be asked. */
  remembered: ReadonlyMap<string, V>;
  /** Why nobody could be asked. */
  failure?: unknown;
}

export interface ReadThrough<V> {
  /**
   * Calls `ask` at most once, with the keys that are not known, and not at all when there are none. Never throws when `ask`
   * does; then the answer says so. That a key has no value is not remembered.
   */
  lookUp(keys: readonly string[], ask: (missing: string[]) => Promise<ReadonlyMap<string, V>>): Promise<Learned<V>>;
}

interface Base {
  store: Store;
  prefix: string;
  metrics: Metrics;
}

function openLayers({ store, prefix }: Base, { name, freshMs, rememberMs, maxItems }: ReadThroughOptions) {
  const layered = (ttl: number) =>
    bentostore({ ttl }).useL1Layer(memoryDriver({ maxItems, serialize: false })).useL2Layer(redisDriver({ connection: store.redis }));
  const bento = new BentoCache({
    default: 'fresh',
    prefix: `${prefix}:cache:${name}`,
    // The package waits for Redis as long as Redis pleases; the store does not, and what fails counts as not there. Without a
    // bus all its operations are asynchronous, which its type of a wrapper does not tell.
    internalOperationWrapper: <T>(operation: () => T) => store.ask(() => Promise.resolve(operation())) as T,
    stores: { fresh: layered(freshMs), remembered: layered(rememberMs) },
  });
  return { fresh: bento.use('fresh').namespace('fresh'), remembered: bento.use('remembered').namespace('remembered') };
}

async function getMany<V>(layer: CacheProvider, keys: readonly string[]): Promise<Map<string, V>> {
  const values = await Promise.all(keys.map((key) => layer.get<V | undefined>({ key })));
  return new Map(keys.flatMap((key, index) => (values[index] === undefined || values[index] === null ? [] : [[key, values[index]]])));
}

/** Nobody waits for the writing: a value that does not arrive is asked for again. */
function setMany<V>(layer: CacheProvider, values: ReadonlyMap<string, V>, ttl?: number): void {
  for (const [key, value] of values) void layer.set({ key, value, ...(ttl === undefined ? {} : { ttl }) });
}

export function createReadThrough<V>(base: Base, options: ReadThroughOptions): ReadThrough<V> {
  const { fresh, remembered } = openLayers(base, options);
  const counter = base.metrics.counter('taskflow_cache_lookups_total', 'Keys looked up in a cache, by where the value came from.', ['cache', 'outcome']);
  const count = (outcome: 'hit' | 'miss' | 'stale' | 'failed', keys: number): void => counter.inc({ cache: options.name, outcome }, keys);

  async function askFor(missing: string[], ask: (missing: string[]) => Promise<ReadonlyMap<string, V>>): Promise<Learned<V>> {
    const startedAt = performance.now();
    try {
      const values = await ask(missing);
      const leftMs = Math.floor(options.freshMs - (performance.now() - startedAt));
      if (leftMs > 0) setMany(fresh, values, leftMs);
      setMany(remembered, values);
      count('miss', missing.length);
      return { asked: new Set(missing), current: values, remembered: new Map() };
    } catch (failure) {
      const old = await getMany<V>(remembered, missing);
      count('stale', old.size);
      count('failed', missing.length - old.size);
      return { asked: new Set(), current: new Map(), remembered: old, failure };
    }
  }

  return {
    lookUp: async (keys, ask) => {
      assertNoOpenTransaction('a look into the cache');
      const unique = [...new Set(keys)];
      const known = await getMany<V>(fresh, unique);
      count('hit', known.size);
      const missing = unique.filter((key) => !known.has(key));
      if (missing.length === 0) return { asked: new Set(unique), current: known, remembered: new Map() };
      const learned = await askFor(missing, ask);
      return { ...learned, asked: new Set([...known.keys(), ...learned.asked]), current: new Map([...known, ...learned.current]) };
    },
  };
}
