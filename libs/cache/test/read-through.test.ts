import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { startTcpProxy, testRedisUrl } from '#dev/cluster';
import {
  createLogger,
  createMetrics,
  runInBackground,
  runInsideTransaction,
  type Metrics,
  type Part,
} from '#libs/runtime';
import { waitUntil } from '../../dev/cluster/src/wait-until.ts';
import { redisCommandsOf } from '../../dev/testing/src/redis-commands.ts';
import { stopAfterEach } from '../../dev/testing/src/stop-after-each.ts';
import { openCache, type Learned, type ReadThrough, type ReadThroughOptions } from '../src/index.ts';

const afterTest = stopAfterEach();

/** A long time: what is found within a test was asked for in it. */
const long = 600_000;

interface Replica {
  cache: ReadThrough<string>;
  metrics: Metrics;
  /** The keys of each question that was asked. */
  questions: string[][];
  lookUp(...keys: string[]): Promise<Learned<string>>;
}

/** What every question is answered; undefined: nobody answers. */
type Truth = { values: ReadonlyMap<string, string> | undefined };

const truthOf = (...entries: [string, string][]): Truth => ({ values: new Map(entries) });

/** A machine that is busy with other tests must not look like a Redis that is gone. */
const patientMs = 30_000;

interface ReplicaOptions extends Partial<ReadThroughOptions> {
  url?: string;
  prefix?: string;
  timeoutMs?: number;
}

function openReplica(
  truth: Truth,
  { url = testRedisUrl(), prefix = randomUUID(), timeoutMs = patientMs, ...changes }: ReplicaOptions = {},
): Replica {
  const parts: Part[] = [];
  const metrics = createMetrics('test');
  const base = {
    logger: createLogger({ service: 'test', level: 'fatal' }),
    metrics,
    parts: { add: (part: Part) => void parts.push(part) },
  };
  const cache = openCache(base, { redisUrl: url, prefix: `test-${prefix}`, timeoutMs }).readThrough<string>({
    name: 'names',
    freshMs: long,
    rememberMs: long,
    maxItems: 100,
    ...changes,
  });
  afterTest(() => Promise.all(parts.map((part) => part.stop())));
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
  await waitUntil(async () => /taskflow_cache_store_reachable\{.*\} 1/.test(await metrics.registry.metrics()));
}

/** What the replica learns about the key, once it finds the key in Redis. */
async function untilLearned(replica: Replica, key: string) {
  await waitUntil(async () => (await replica.lookUp(key)).asked.has(key));
  return currentOf(await replica.lookUp(key));
}

describe('a read-through cache', () => {
  it('asks once for all missing keys and not again', async () => {
    const replica = openReplica(truthOf(['a', 'Ada'], ['b', 'Bob'], ['c', 'Cy']));
    expect(currentOf(await replica.lookUp('a', 'b', 'a'))).toEqual({ a: 'Ada', b: 'Bob' });
    expect(currentOf(await replica.lookUp('c', 'b'))).toEqual({ b: 'Bob', c: 'Cy' });
    expect(currentOf(await replica.lookUp('a', 'b', 'c'))).toEqual({ a: 'Ada', b: 'Bob', c: 'Cy' });
    expect(replica.questions).toEqual([['a', 'b'], ['c']]);
    expect(await replica.metrics.registry.metrics()).toMatch(
      /taskflow_cache_lookups_total\{cache="names",outcome="hit",service="test"\} 4/,
    );
  });

  it('does not ask when no key is missing', async () => {
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
    expect(await untilLearned(second, 'a')).toEqual({ a: 'Ada' });
  });

  it('shows a change on every replica although nobody announces it', async () => {
    const truth = truthOf(['a', 'Ada']);
    const prefix = randomUUID();
    const replicas = [1, 2].map(() => openReplica(truth, { prefix, freshMs: 200 }));
    for (const replica of replicas) await replica.lookUp('a');
    truth.values = new Map([['a', 'Countess']]);
    for (const replica of replicas) await waitUntil(async () => currentOf(await replica.lookUp('a')).a === 'Countess');
  });

  it('keeps neither the absence of a value nor a failure', async () => {
    const truth = truthOf();
    const replica = openReplica(truth);
    expect(await replica.lookUp('a')).toEqual({ asked: new Set(['a']), current: new Map(), remembered: new Map() });
    truth.values = undefined;
    expect(await replica.lookUp('a')).toMatchObject({ asked: new Set(), failure: new Error('nobody answers') });
    truth.values = new Map([['a', 'Ada']]);
    expect(currentOf(await replica.lookUp('a'))).toEqual({ a: 'Ada' });
  });

  it('returns remembered values apart from current ones while nobody answers', async () => {
    const truth = truthOf(['a', 'Ada'], ['b', 'Bob']);
    const replica = openReplica(truth, { freshMs: 200 });
    await replica.lookUp('a');
    truth.values = undefined;
    const learned = await waitUntil(
      () => replica.lookUp('a', 'b'),
      ({ asked }) => !asked.has('a'),
    );
    expect([currentOf(learned), rememberedOf(learned), learned.failure]).toEqual([
      {},
      { a: 'Ada' },
      new Error('nobody answers'),
    ]);
    expect(await replica.metrics.registry.metrics()).toMatch(/outcome="stale",service="test"\} [1-9]/);
  });

  it.each(['cut', 'freeze'] as const)(
    'goes on by itself after a %s of Redis, and with the others later',
    async (loss) => {
      const proxy = await startTcpProxy(testRedisUrl());
      afterTest(proxy.close);
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
      expect(await untilLearned(alone, 'c')).toEqual({ c: 'Cy' });
    },
  );

  it('asks once for a key that several lookups need at the same time', async () => {
    const answer = Promise.withResolvers<void>();
    const replica = openReplica(truthOf(['a', 'Ada'], ['b', 'Bob']));
    const asked: string[][] = [];
    const lookUp = (...keys: string[]) =>
      replica.cache.lookUp(keys, async (missing) => {
        asked.push(missing);
        await answer.promise;
        return new Map(missing.map((key) => [key, `name of ${key}`]));
      });
    const first = lookUp('a');
    await waitUntil(() => asked.length === 1);
    const others = [lookUp('a'), lookUp('a', 'b'), lookUp('a')];
    answer.resolve();
    expect((await Promise.all([first, ...others])).map(currentOf)).toEqual([
      { a: 'name of a' },
      { a: 'name of a' },
      { a: 'name of a', b: 'name of b' },
      { a: 'name of a' },
    ]);
    expect(asked).toEqual([['a'], ['b']]);
  });

  it('asks Redis once for all lookups of one turn', async () => {
    const prefix = randomUUID();
    const replica = openReplica(truthOf(['a', 'Ada'], ['b', 'Bob']), { prefix });
    await connected(replica);
    let learned: Learned<string>[] = [];
    const commands = await redisCommandsOf(`test-${prefix}`, async () => {
      learned = await Promise.all([replica.lookUp('a'), replica.lookUp('b', 'c'), replica.lookUp('b')]);
    });
    expect(learned.map(currentOf)).toEqual([{ a: 'Ada' }, { b: 'Bob' }, { b: 'Bob' }]);
    expect(commands.filter((command) => command === 'mget')).toHaveLength(1);
  });

  it('asks itself when the question that it waited for fails', async () => {
    const failing = Promise.withResolvers<never>();
    const replica = openReplica(truthOf(['a', 'Ada']));
    const begun = Promise.withResolvers<void>();
    const first = replica.cache.lookUp(['a'], () => {
      begun.resolve();
      return failing.promise;
    });
    await begun.promise;
    const second = replica.lookUp('a');
    failing.reject(new Error('the caller gave up'));
    expect((await first).failure).toEqual(new Error('the caller gave up'));
    expect(currentOf(await second)).toEqual({ a: 'Ada' });
  });

  it('waits only a part of its own time for the question of another lookup', async () => {
    const replica = openReplica(truthOf(['a', 'Ada']));
    const begun = Promise.withResolvers<void>();
    void replica.cache.lookUp(['a'], () => {
      begun.resolve();
      return new Promise(() => undefined);
    });
    await begun.promise;
    const options = { name: 'test', logger: createLogger({ service: 'test', level: 'fatal' }), timeoutMs: 400 };
    expect(currentOf(await runInBackground(options, () => replica.lookUp('a')))).toEqual({ a: 'Ada' });
  });

  it('may not be looked into inside a transaction', async () => {
    const replica = openReplica(truthOf(['a', 'Ada']));
    await expect(runInsideTransaction(() => replica.lookUp('a'))).rejects.toThrow(
      'a look into the cache inside a database transaction',
    );
  });
});
