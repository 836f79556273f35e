import { testRedisUrl } from '#dev/cluster';
import { currentContext, runInBackground, steadyNow } from '#libs/runtime';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ratePerMinute } from '../src/inspection.ts';
import { newJobId, PermanentJobError, RetryLater } from '../src/index.ts';
import { logger, openFixture, workBehindBarrier, type Fixture } from './fixture.ts';
import { waitUntil } from '../../dev/cluster/src/wait-until.ts';

let fixture: Fixture;
beforeEach(async () => {
  fixture = await openFixture(testRedisUrl());
});
afterEach(() => fixture.close());

describe('a rate', () => {
  it('holds over all workers of a queue; jobs beyond it wait, and none is lost', async () => {
    const seen: string[] = [];
    const greet = async ({ name }: { name: string }) => void seen.push(name);
    const rates = { jobs: { max: 2, perMs: 3_600_000 } };
    const limited = [await fixture.work({ greet }, { rates }), await fixture.work({ greet }, { rates })];
    const names = ['a', 'b', 'c', 'd', 'e'];
    await fixture.queue.enqueueMany(names.map((name) => ({ name: 'greet' as const, payload: { name } })));
    await waitUntil(async () => {
      const { waiting, active } = await fixture.queue.inspect('jobs');
      return waiting === 3 && active === 0;
    });
    expect(seen).toHaveLength(2);
    await Promise.all(limited.map((worker) => worker.stop()));
    await fixture.work({ greet });
    await waitUntil(() => seen.length === 5);
    expect([...seen].sort()).toEqual(names);
  });
});

describe('a paused queue', () => {
  it('starts no job, lets running ones end, and goes on when it is resumed', async () => {
    const { worker, started, ended, open } = await workBehindBarrier(fixture, (name) => name === 'first');
    await fixture.queue.enqueue('greet', { name: 'first' });
    await waitUntil(() => started.length === 1);
    worker.pause('jobs');
    const later = await Promise.all(['second', 'third'].map((name) => fixture.queue.enqueue('greet', { name })));
    open();
    await waitUntil(() => ended.length === 1);
    await waitUntil(async () => (await fixture.queue.inspect('jobs')).waiting === 2);
    expect(await fixture.queue.find(later)).toEqual(new Set(later));
    expect(started).toEqual(['first']);
    worker.resume('jobs');
    await waitUntil(() => ended.length === 3);
  });

  it('may be paused from the start: its jobs run elsewhere, and here only after it is resumed', async () => {
    const seen: string[] = [];
    const paused = await fixture.work(
      { greet: async ({ name }) => void seen.push(`paused ${name}`) },
      { paused: true },
    );
    const other = await fixture.work({ greet: async ({ name }) => void seen.push(`other ${name}`) });
    await fixture.queue.enqueueMany(['a', 'b', 'c'].map((name) => ({ name: 'greet' as const, payload: { name } })));
    await waitUntil(() => seen.length === 3);
    await other.stop();
    const jobId = await fixture.queue.enqueue('greet', { name: 'd' });
    expect((await fixture.queue.findJob(jobId))?.state).toBe('waiting');
    paused.resume('jobs');
    await waitUntil(() => seen.length === 4);
    expect([...seen].sort()).toEqual(['other a', 'other b', 'other c', 'paused d']);
  });

  it('takes no job that comes while it is paused, even if its worker was already waiting for one', async () => {
    const seen: string[] = [];
    const worker = await fixture.work({ greet: async ({ name }) => void seen.push(name) });
    await fixture.queue.enqueue('greet', { name: 'before' });
    await waitUntil(() => seen.length === 1);
    worker.pause('jobs');
    const other = await fixture.work({ greet: async ({ name }) => void seen.push(`other ${name}`) });
    await fixture.queue.enqueueMany(['a', 'b', 'c'].map((name) => ({ name: 'greet' as const, payload: { name } })));
    await waitUntil(() => seen.length === 4);
    expect([...seen].sort()).toEqual(['before', 'other a', 'other b', 'other c']);
    await other.stop();
  });

  it('does not inherit the deadline of the call that resumes it', async () => {
    const deadlines: number[] = [];
    const note = async (): Promise<void> => void deadlines.push((currentContext()?.deadline ?? 0) - steadyNow());
    const worker = await fixture.work(
      {
        greet: async () => {
          await note();
          throw new PermanentJobError('never');
        },
      },
      { paused: true, addDeadJob: note },
    );
    const over = performance.now() + 30;
    await runInBackground({ name: 'short', logger, timeoutMs: 30 }, async () => worker.resume('jobs'));
    await waitUntil(() => performance.now() > over);
    await fixture.queue.enqueue('greet', { name: 'Ada' });
    await waitUntil(() => deadlines.length === 2);
    expect(Math.min(...deadlines)).toBeGreaterThan(1_000);
  });

  it('works as before after any number of pauses', async () => {
    const seen: string[] = [];
    const worker = await fixture.work({ greet: async ({ name }) => void seen.push(name) });
    for (let round = 1; round <= 10; round += 1) {
      worker.pause('jobs');
      worker.pause('jobs');
      worker.resume('jobs');
      worker.resume('jobs');
      await fixture.queue.enqueue('greet', { name: `${round}` });
      await waitUntil(() => seen.length === round);
    }
  });
});

describe('a live job', () => {
  it('shows its state, its attempts and the error of each', async () => {
    await fixture.work({
      greet: async (_payload, run) => {
        if (run.starts === 1) throw new Error('broken');
        throw new RetryLater(60_000, 'postponed', { cause: new Error('the other side is away') });
      },
    });
    const jobId = await fixture.queue.enqueue('greet', { name: 'Ada' }, { callId: 'call-1' });
    await waitUntil(async () => (await fixture.queue.findJob(jobId))?.failures.length === 2);
    await waitUntil(async () => (await fixture.queue.findJob(jobId))?.state === 'delayed');
    const job = await fixture.queue.findJob(jobId);
    expect(job).toMatchObject({
      jobId,
      queue: 'jobs',
      name: 'greet',
      payload: { name: 'Ada' },
      callId: 'call-1',
      attempts: 1,
      maxAttempts: 3,
      starts: 2,
      stalls: 0,
      failures: [
        { attempt: 1, error: 'Error: broken' },
        { attempt: 2, error: 'RetryLater: postponed: Error: the other side is away' },
      ],
    });
    expect(job?.nextRunTime?.getTime()).toBeGreaterThan(Date.now());
  });

  it('is unknown once it has ended', async () => {
    expect(await fixture.queue.findJob(newJobId())).toBeUndefined();
  });
});

describe('a queue', () => {
  it('shows its depth and the age of the next job', async () => {
    const worker = await fixture.work({}, { paused: true });
    await fixture.queue.enqueueMany(['a', 'b', 'c'].map((name) => ({ name: 'greet' as const, payload: { name } })));
    expect(await fixture.queue.inspect('jobs')).toMatchObject({
      name: 'jobs',
      waiting: 3,
      active: 0,
      delayed: 0,
      oldestWaitingMs: expect.any(Number),
    });
    worker.resume('jobs');
    await waitUntil(async () => (await fixture.queue.inspect('jobs')).waiting === 0);
    expect((await fixture.queue.inspect('jobs')).oldestWaitingMs).toBeUndefined();
  });

  it('writes them to the metrics', async () => {
    await fixture.work({}, { paused: true });
    await fixture.queue.enqueue('greet', { name: 'Ada' });
    await fixture.queue.measure();
    const text = await fixture.metrics.registry.metrics();
    expect(text).toMatch(/taskflow_queue_depth\{queue="jobs",state="waiting".*\} 1/);
    expect(text).toMatch(/taskflow_queue_oldest_waiting_seconds\{queue="jobs".*\} \d/);
    expect(text).toMatch(/taskflow_queue_reachable\{queue="jobs".*\} 1/);
  });
});

describe('the rate of a queue', () => {
  const minute = 60_000;
  const now = 1_000 * minute + 30_000;

  it('is the average of the last five whole minutes, the running one left out', () => {
    const counted = { meta: { count: 117, prevTS: now - 1_000, prevCount: 110 }, data: [10, 20, 30, 0, 40, 10] };
    expect(ratePerMinute(counted, now)).toBe(20);
  });

  it('knows that nothing ended in the minutes since the last count', () => {
    const counted = { meta: { count: 60, prevTS: now - 3 * minute, prevCount: 50 }, data: [15, 25, 10] };
    expect(ratePerMinute(counted, now)).toBe((10 + 15 + 25) / 5);
    expect(ratePerMinute(counted, now + 60 * minute)).toBe(0);
  });
});
