import { testRedisUrl } from '#dev/cluster';
import { createRandom, type Random } from '../../dev/testing/src/random.ts';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { PermanentJobError, RetryLater } from '../src/index.ts';
import { openFixture, type Fixture } from './fixture.ts';
import { waitUntil } from '../../dev/cluster/src/wait-until.ts';

const hour = 3_600_000;
const realNow = Date.now.bind(Date);

/** From now on this process believes that it is so much later. */
const stepClock = (byMs: number): void =>
  void jest.spyOn(Date, 'now').mockImplementation(() => Math.round(realNow() + byMs));
const setClockRight = (): void => void jest.restoreAllMocks();

let fixture: Fixture;
let redis: Redis;
beforeEach(async () => {
  fixture = await openFixture(testRedisUrl());
  redis = new Redis(fixture.options.redisUrl);
});
afterEach(async () => {
  setClockRight();
  redis.disconnect();
  await fixture.close();
});

describe('a job that is delayed by a process with a wrong clock', () => {
  it.each([
    ['two hours ahead', 2 * hour],
    ['two hours behind', -2 * hour],
    ['years ahead', 100_000 * hour],
    ['at the beginning of time', -realNow()],
  ])('%s is back after its pause, whether it was postponed or has failed', async (_name, byMs) => {
    const starts: number[] = [];
    await fixture.work({
      greet: async (_payload, run) => {
        starts.push(run.attempt);
        if (starts.length === 1) {
          stepClock(byMs);
          throw new RetryLater(20);
        }
        if (starts.length === 2) throw new Error('broken');
        setClockRight();
      },
    });
    await fixture.queue.enqueue('greet', { name: 'Ada' });
    await waitUntil(() => starts.length === 3);
    expect(starts).toEqual([1, 1, 2]);
  });

  it('becomes a dead letter after its pause when it could not before', async () => {
    let attempts = 0;
    const addDeadJob = async (): Promise<void> => {
      attempts += 1;
      if (attempts === 1) throw new Error('the database is down');
    };
    stepClock(2 * hour);
    await fixture.work({ greet: () => Promise.reject(new PermanentJobError('never')) }, { addDeadJob });
    await fixture.queue.enqueue('greet', { name: 'Ada' });
    await waitUntil(() => attempts === 1);
    setClockRight();
    await waitUntil(() => attempts === 2);
  });
});

describe('a delay', () => {
  it('is not ended early by a process whose clock is ahead, nor by one that starts then', async () => {
    const seen: string[] = [];
    const greet = async ({ name }: { name: string }): Promise<void> => {
      seen.push(name);
      if (name === 'later') throw new RetryLater(600_000);
    };
    await fixture.work({ greet });
    const later = await fixture.queue.enqueue('greet', { name: 'later' });
    await waitUntil(async () => (await fixture.queue.findJob(later))?.state === 'delayed');
    for (const byMs of [2 * hour, 100_000 * hour]) {
      stepClock(byMs);
      await fixture.work({ greet });
      const before = seen.length;
      await fixture.queue.enqueueMany(['a', 'b', 'c'].map((name) => ({ name: 'greet' as const, payload: { name } })));
      await waitUntil(() => seen.length === before + 3);
    }
    expect(seen.filter((name) => name === 'later')).toHaveLength(1);
    expect((await fixture.queue.findJob(later))?.state).toBe('delayed');
    expect(await fixture.queue.find([later])).toEqual(new Set([later]));
  });

  it('that lies beyond the longest delay, because the clock of Redis was set back, is over', async () => {
    let starts = 0;
    await fixture.work({
      greet: async () => {
        starts += 1;
        if (starts === 1) throw new RetryLater(600_000);
      },
    });
    const jobId = await fixture.queue.enqueue('greet', { name: 'Ada' });
    await waitUntil(async () => (await fixture.queue.findJob(jobId))?.state === 'delayed');
    await redis.zadd(`${fixture.options.prefix}:jobs:due`, realNow() + 2 * hour, jobId);
    await waitUntil(() => starts === 2);
  });

  it.each([
    ['should have ended a while ago', (key: string, jobId: string) => redis.zadd(key, realNow() - 60_000, jobId)],
    ['has no end', (key: string, jobId: string) => redis.zrem(key, jobId)],
  ])('that %s makes its job a lost one', async (_name, spoil) => {
    const worker = await fixture.work({ greet: () => Promise.reject(new RetryLater(600_000)) });
    const jobId = await fixture.queue.enqueue('greet', { name: 'Ada' });
    await waitUntil(async () => (await fixture.queue.findJob(jobId))?.state === 'delayed');
    expect(await fixture.queue.find([jobId])).toEqual(new Set([jobId]));
    await worker.stop();
    await spoil(`${fixture.options.prefix}:jobs:due`, jobId);
    expect(await fixture.queue.find([jobId])).toEqual(new Set());
  });
});

type Outcome = 'done' | 'fails' | 'permanent' | { pauseMs: number };

/** What happens in each run of a job; the last one ends it, unless its attempts end before. */
function planJob(random: Random): Outcome[] {
  const runs = Array.from({ length: random.below(4) }, (): Outcome =>
    random.chance(0.5) ? 'fails' : { pauseMs: random.between(0, 60) },
  );
  return [...runs, random.chance(0.8) ? 'done' : 'permanent'];
}

describe('whatever the clock of the process does meanwhile', () => {
  it.each([1, 2, 3])('each job runs as often as it must and never before its pause is over (seed %i)', async (seed) => {
    const random = createRandom(String(seed));
    const plans = new Map(
      Array.from({ length: 25 }, (_, index): [string, Outcome[]] => [`job ${index}`, planJob(random)]),
    );
    const runs = new Map([...plans.keys()].map((name) => [name, 0]));
    const earliest = new Map<string, number>();
    const early: string[] = [];
    const ended: string[] = [];
    await fixture.work(
      {
        greet: async ({ name }) => {
          const count = runs.get(name) ?? 0;
          runs.set(name, count + 1);
          stepClock((random.next() - 0.5) * 10 ** (10 * random.next()));
          // Redis counts whole milliseconds.
          if (performance.now() < (earliest.get(name) ?? 0) - 2) early.push(name);
          const outcome = plans.get(name)?.[count] ?? 'done';
          if (outcome === 'done') return void ended.push(name);
          if (outcome === 'permanent') throw new PermanentJobError('never');
          if (outcome === 'fails') throw new Error('broken');
          earliest.set(name, performance.now() + outcome.pauseMs);
          throw new RetryLater(outcome.pauseMs);
        },
      },
      { addDeadJob: async ({ payload }) => void ended.push((payload as { name: string }).name) },
    );
    await fixture.queue.enqueueMany([...plans.keys()].map((name) => ({ name: 'greet' as const, payload: { name } })));
    await waitUntil(() => ended.length === plans.size);
    setClockRight();
    // The third failure is the last attempt.
    const expected = [...plans].map(([name, plan]) => {
      const thirdFailure = plan.flatMap((outcome, index) => (outcome === 'fails' ? [index] : []))[2] ?? plan.length - 1;
      return [name, thirdFailure + 1];
    });
    expect([...runs]).toEqual(expected);
    expect(early).toEqual([]);
    expect([...ended].sort()).toEqual([...plans.keys()].sort());
  });
});
