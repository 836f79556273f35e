import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startTcpProxy, testRedisUrl } from '#libs/devcluster';
import { createLogger, createMetrics, runInsideTransaction, type Metrics, type Part } from '#libs/runtime';
import { until } from '../../devcluster/src/patience.ts';
import { openCache, type Learned, type ReadThrough, type ReadThroughOptions } from '../src/index.ts';

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

/** A long time: what is found within a test was asked for in it. */
const long = 600_000;

interface Replica {
  cache: ReadThrough<string>;
  metrics: Metrics;
  /** The keys of each question that was asked. */
  questions: string[][];
  lookUp(...keys: string[]): Promise<Learned<string>>;
}

/** What everybody who asks is told; undefined: nobody answers. */
type Truth = { values: ReadonlyMap<string, string> | undefined };

const truthOf = (...entries: [string, string][]): Truth => ({ values: new Map(entries) });

/** A machine that is busy with other tests must not look like a Redis that is gone. */
const patientMs = 30_000;

interface ReplicaOptions extends Partial<ReadThroughOptions> {
  url?: string;
  prefix?: string;
  timeoutMs?: number;
}

function openReplica(truth: Truth, { url = testRedisUrl(), prefix = randomUUID(), timeoutMs = patientMs, ...changes }: ReplicaOptions = {}): Replica {
  const parts: Part[] = [];
  const metrics = createMetrics('test');
  const base = { logger: createLogger({ service: 'test', level: 'fatal' }), metrics, parts: { add: (part: Part) => void parts.push(part) } };
  const cache = openCache(base, { redisUrl: url, prefix: `test-${prefix}`, timeoutMs }).readThrough<string>({
    name: 'names',
    freshMs: long,
    rememberMs: long,
    maxItems: 100,
    ...changes,
  });
  opened.push({ close: () => Promise.all(parts.map((part) => part.stop())) });
  const questions: string[][] = [];
  const ask = async (missing: string[]): Promise<ReadonlyMap<string, string>> => {
    questions.push(missing);
    const { values } = truth;
    if (values === undefined) throw new Error('nobody answers');
    return new Map(missing.flatMap((key) => (values.has(key) ? [[key, values.get(key) as string]] : [])));
  };
  return { cache, metrics, questions, lookUp: (...keys) => cache.lookUp(keys, ask) };
}

const currentOf = ({ current }: Learned<string>) => Object.fromEntries(current);
const rememberedOf = ({ remembered }: Learned<string>) => Object.fromEntries(remembered);

async function connected({ metrics }: Replica): Promise<void> {
  await until(() => metrics.registry.metrics(), (text) => /taskflow_cache_store_reachable\{.*\} 1/.test(text));
}

describe('a read-through cache', () => {
  it('asks once for all that is missing, each once, and not again', async () => {
    const replica = openReplica(truthOf(['a', 'Ada'], ['b', 'Bob'], ['c', 'Cy']));
    expect(currentOf(await replica.lookUp('a', 'b', 'a'))).toEqual({ a: 'Ada', b: 'Bob' });
    expect(currentOf(await replica.lookUp('c', 'b'))).toEqual({ b: 'Bob', c: 'Cy' });
    expect(currentOf(await replica.lookUp('a', 'b', 'c'))).toEqual({ a: 'Ada', b: 'Bob', c: 'Cy' });
    expect(replica.questions).toEqual([['a', 'b'], ['c']]);
    expect(await replica.metrics.registry.metrics()).toMatch(/taskflow_cache_lookups_total\{cache="names",outcome="hit",service="test"\} 4/);
  });

  it('does not ask for nothing', async () => {
    const replica = openReplica(truthOf());
    expect(await replica.lookUp()).toEqual({ asked: new Set(), current: new Map(), remembered: new Map() });
    expect(replica.questions).toEqual([]);
  });

  it('knows what another replica has learned', async () => {
    const truth = truthOf(['a', 'Ada']);
    const prefix = randomUUID();
    const first = openReplica(truth, { prefix });
    await connected(first);
    await first.lookUp('a');
    truth.values = undefined;
    const second = openReplica(truth, { prefix });
    expect(currentOf(await until(() => second.lookUp('a'), ({ asked }) => asked.has('a')))).toEqual({ a: 'Ada' });
  });

  it('tells a change everywhere, though nobody announces it', async () => {
    const truth = truthOf(['a', 'Ada']);
    const prefix = randomUUID();
    const replicas = [1, 2].map(() => openReplica(truth, { prefix, freshMs: 200 }));
    for (const replica of replicas) await replica.lookUp('a');
    truth.values = new Map([['a', 'Countess']]);
    for (const replica of replicas) await until(async () => currentOf(await replica.lookUp('a')), ({ a }) => a === 'Countess');
  });

  it('does not keep that there is no value, nor a failure', async () => {
    const truth = truthOf();
    const replica = openReplica(truth);
    expect(await replica.lookUp('a')).toEqual({ asked: new Set(['a']), current: new Map(), remembered: new Map() });
    truth.values = undefined;
    expect(await replica.lookUp('a')).toMatchObject({ asked: new Set(), failure: new Error('nobody answers') });
    truth.values = new Map([['a', 'Ada']]);
    expect(currentOf(await replica.lookUp('a'))).toEqual({ a: 'Ada' });
  });

  it('remembers what was once told, apart from what is current, while nobody answers', async () => {
    const truth = truthOf(['a', 'Ada'], ['b', 'Bob']);
    const replica = openReplica(truth, { freshMs: 200 });
    await replica.lookUp('a');
    truth.values = undefined;
    const learned = await until(() => replica.lookUp('a', 'b'), ({ asked }) => !asked.has('a'));
    expect([currentOf(learned), rememberedOf(learned), learned.failure]).toEqual([{}, { a: 'Ada' }, new Error('nobody answers')]);
    expect(await replica.metrics.registry.metrics()).toMatch(/outcome="stale",service="test"\} [1-9]/);
  });

  it.each(['cut', 'freeze'] as const)('goes on by itself after a %s of Redis, and with the others later', async (loss) => {
    const proxy = await startTcpProxy(testRedisUrl());
    opened.push(proxy);
    const truth = truthOf(['a', 'Ada'], ['b', 'Bob'], ['c', 'Cy']);
    const prefix = randomUUID();
    const alone = openReplica(truth, { url: proxy.url, prefix, timeoutMs: 100 });
    const other = openReplica(truth, { prefix });
    await alone.lookUp('a');
    await proxy[loss]();
    // Redis stays away until all is answered: nobody has waited for it.
    expect(currentOf(await alone.lookUp('a', 'b'))).toEqual({ a: 'Ada', b: 'Bob' });
    expect(currentOf(await alone.lookUp('a', 'b'))).toEqual({ a: 'Ada', b: 'Bob' });
    expect(alone.questions).toEqual([['a'], ['b']]);
    await proxy.restore();
    await connected(other);
    await other.lookUp('c');
    truth.values = undefined;
    expect(currentOf(await until(() => alone.lookUp('c'), ({ asked }) => asked.has('c')))).toEqual({ c: 'Cy' });
  });

  it('may not be looked into inside a transaction', async () => {
    const replica = openReplica(truthOf(['a', 'Ada']));
    await expect(runInsideTransaction(() => replica.lookUp('a'))).rejects.toThrow('a look into the cache inside a database transaction');
  });
});
