import type { Store } from '#libs/redis';
import { assertNoOpenTransaction, remainingMs, settlesWithin, type Metrics } from '#libs/runtime';
import { openLayer } from './layer.ts';

export interface ReadThroughOptions {
  /** Part of the keys and a label of the metric: "people-1". Change it whenever the shape of the values changes. */
  name: string;
  /**
   * How long a value counts as current in Redis, counted from before it was asked for, and once more in a process that
   * took it from there. So no value is older than twice this, whatever the clocks of the replicas show.
   */
  freshMs: number;
  /** How long a value is remembered for the time when nobody can be asked. */
  rememberMs: number;
  /** Of each kind, in a process; those used least recently go first. */
  maxItems: number;
}

/** Answers with the values that the keys have. */
type Ask<V> = (missing: string[]) => Promise<ReadonlyMap<string, V>>;

/** What is known about some keys. */
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
   * Calls `ask` at most once, with the keys that are not known, and not at all when there are none. Never throws when
   * `ask` does; then the answer holds the failure. That a key has no value is not remembered. While another lookup in
   * this process asks for one of the keys, this one waits for it first, for at most a quarter of its call's remaining
   * time.
   */
  lookUp(keys: readonly string[], ask: Ask<V>): Promise<Learned<V>>;
  /** Removes the value here and in Redis. Other processes hold theirs until its time is over. Throws without Redis. */
  forget(key: string): Promise<void>;
}

interface Base {
  store: Store;
  prefix: string;
  metrics: Metrics;
}

/** The questions of this process that are not answered yet, so that a popular key that expires is asked for once. */
function createQuestions() {
  const open = new Map<string, Promise<unknown>>();
  return {
    /** Resolves when the questions about the keys that are open now have ended, however, or when `maxMs` are over. */
    wait: async (keys: readonly string[], maxMs: number): Promise<void> => {
      const others = new Set(keys.flatMap((key) => open.get(key) ?? []));
      if (others.size > 0) await settlesWithin(Promise.allSettled(others), maxMs);
    },
    track: async <T>(keys: readonly string[], question: Promise<T>): Promise<T> => {
      for (const key of keys) open.set(key, question);
      try {
        return await question;
      } finally {
        for (const key of keys) if (open.get(key) === question) open.delete(key);
      }
    },
  };
}

export function createReadThrough<V extends NonNullable<unknown>>(
  { store, prefix, metrics }: Base,
  { name, freshMs, rememberMs, maxItems }: ReadThroughOptions,
): ReadThrough<V> {
  const keyPrefix = `${prefix}:cache:${name}`;
  const open = (kind: string, ttlMs: number) =>
    openLayer<V>({ store, prefix: `${keyPrefix}:${kind}`, ttlMs, fetchedTtlMs: freshMs, maxItems });
  const fresh = open('current', freshMs);
  const remembered = open('last', rememberMs);
  const questions = createQuestions();
  const counter = metrics.counter(
    'taskflow_cache_lookups_total',
    'Keys looked up in a cache, by where the value came from.',
    ['cache', 'outcome'],
  );
  const count = (outcome: string, keys: number): void => counter.inc({ cache: name, outcome }, keys);

  /** The values that need no question. */
  async function findCurrent(keys: readonly string[]): Promise<Map<string, V>> {
    const known = await fresh.getMany(keys);
    const missing = keys.filter((key) => !known.has(key));
    await questions.wait(missing, remainingMs() / 4);
    return new Map([...known, ...fresh.getLocal(missing)]);
  }

  async function askFor(missing: string[], ask: Ask<V>): Promise<Learned<V>> {
    const startedAt = performance.now();
    try {
      const values = await ask(missing);
      const leftMs = Math.floor(freshMs - (performance.now() - startedAt));
      if (leftMs > 0) fresh.setMany(values, leftMs);
      remembered.setMany(values);
      count('miss', missing.length);
      return { asked: new Set(missing), current: values, remembered: new Map() };
    } catch (failure) {
      const old = await remembered.getMany(missing);
      count('stale', old.size);
      count('failed', missing.length - old.size);
      return { asked: new Set(), current: new Map(), remembered: old, failure };
    }
  }

  return {
    forget: async (key) => void (await Promise.all([fresh.removeMany([key]), remembered.removeMany([key])])),
    lookUp: async (keys, ask) => {
      assertNoOpenTransaction('a look into the cache');
      const unique = [...new Set(keys)];
      const known = await findCurrent(unique);
      count('hit', known.size);
      const missing = unique.filter((key) => !known.has(key));
      if (missing.length === 0) return { asked: new Set(unique), current: known, remembered: new Map() };
      const learned = await questions.track(missing, askFor(missing, ask));
      return {
        ...learned,
        asked: new Set([...known.keys(), ...learned.asked]),
        current: new Map([...known, ...learned.current]),
      };
    },
  };
}
