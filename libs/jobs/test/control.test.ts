import { testRedisUrl } from '#libs/devcluster';
import { currentContext, runInBackground } from '#libs/runtime';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ratePerMinute } from '../src/inspection.ts';
import { newJobId, PermanentJobError, RetryLater } from '../src/index.ts';
import { logger, openFixture, until, workBehindGate, type Fixture } from './fixture.ts';

let fixture: Fixture;
beforeEach(async () => {
  fixture = await openFixture(testRedisUrl());
});
afterEach(() => fixture.close());

describe('a held queue', () => {
  it('lets nothing begin, lets run what has begun, and goes on when it is released', async () => {
    const { worker, started, ended, open } = await workBehindGate(fixture, (name) => name === 'first');
    await fixture.queue.enqueue('greet', { name: 'first' });
    await until(() => started.length === 1);
    worker.hold('jobs');
    const later = await Promise.all(['second', 'third'].map((name) => fixture.queue.enqueue('greet', { name })));
    open();
    await until(() => ended.length === 1);
    await until(async () => (await fixture.queue.inspect('jobs')).waiting === 2);
    expect(await fixture.queue.find(later)).toEqual(new Set(later));
    expect(started).toEqual(['first']);
    worker.release('jobs');
    await until(() => ended.length === 3);
  });

  it('may be held from the start: its jobs run elsewhere, here none until it is released', async () => {
    const seen: string[] = [];
    const held = await fixture.work({ greet: async ({ name }) => void seen.push(`held ${name}`) }, { held: true });
    const other = await fixture.work({ greet: async ({ name }) => void seen.push(`other ${name}`) });
    await fixture.queue.enqueueMany(['a', 'b', 'c'].map((name) => ({ name: 'greet' as const, payload: { name } })));
    await until(() => seen.length === 3);
    await other.stop();
    const jobId = await fixture.queue.enqueue('greet', { name: 'd' });
    expect((await fixture.queue.findJob(jobId))?.state).toBe('waiting');
    held.release('jobs');
    await until(() => seen.length === 4);
    expect([...seen].sort()).toEqual(['held d', 'other a', 'other b', 'other c']);
  });

  it('takes nothing that comes while it is held, however long its worker had been waiting for it', async () => {
    const seen: string[] = [];
    const worker = await fixture.work({ greet: async ({ name }) => void seen.push(name) });
    await fixture.queue.enqueue('greet', { name: 'before' });
    await until(() => seen.length === 1);
    worker.hold('jobs');
    const other = await fixture.work({ greet: async ({ name }) => void seen.push(`other ${name}`) });
    await fixture.queue.enqueueMany(['a', 'b', 'c'].map((name) => ({ name: 'greet' as const, payload: { name } })));
    await until(() => seen.length === 4);
    expect([...seen].sort()).toEqual(['before', 'other a', 'other b', 'other c']);
    await other.stop();
  });

  it('does not take over the deadline of whoever releases it', async () => {
    const deadlines: number[] = [];
    const note = async (): Promise<void> => void deadlines.push((currentContext()?.deadline ?? 0) - Date.now());
    const worker = await fixture.work({ greet: async () => { await note(); throw new PermanentJobError('never'); } }, { held: true, bury: note });
    const released = Date.now() + 30;
    await runInBackground({ name: 'short', logger, timeoutMs: 30 }, async () => worker.release('jobs'));
    await until(() => Date.now() > released);
    await fixture.queue.enqueue('greet', { name: 'Ada' });
    await until(() => deadlines.length === 2);
    expect(Math.min(...deadlines)).toBeGreaterThan(1_000);
  });

  it('works as before after any number of holds and releases', async () => {
    const seen: string[] = [];
    const worker = await fixture.work({ greet: async ({ name }) => void seen.push(name) });
    for (let round = 1; round <= 10; round += 1) {
      worker.hold('jobs');
      worker.hold('jobs');
      worker.release('jobs');
      worker.release('jobs');
      await fixture.queue.enqueue('greet', { name: `${round}` });
      await until(() => seen.length === round);
    }
  });
});

describe('a live job', () => {
  it('tells its state, its attempts and what went wrong with each', async () => {
    await fixture.work({
      greet: async (_payload, run) => {
        if (run.starts === 1) throw new Error('broken');
        throw new RetryLater(60_000, 'postponed', { cause: new Error('the other side is away') });
      },
    });
    const jobId = await fixture.queue.enqueue('greet', { name: 'Ada' }, { callId: 'call-1' });
    await until(async () => (await fixture.queue.findJob(jobId))?.failures.length === 2);
    await until(async () => (await fixture.queue.findJob(jobId))?.state === 'delayed');
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
  it('tells its depth and the age of the job that is next', async () => {
    const worker = await fixture.work({}, { held: true });
    await fixture.queue.enqueueMany(['a', 'b', 'c'].map((name) => ({ name: 'greet' as const, payload: { name } })));
    expect(await fixture.queue.inspect('jobs')).toMatchObject({ name: 'jobs', waiting: 3, active: 0, delayed: 0, oldestWaitingMs: expect.any(Number) });
    worker.release('jobs');
    await until(async () => (await fixture.queue.inspect('jobs')).waiting === 0);
    expect((await fixture.queue.inspect('jobs')).oldestWaitingMs).toBeUndefined();
  });

  it('writes them to the metrics', async () => {
    await fixture.work({}, { held: true });
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
