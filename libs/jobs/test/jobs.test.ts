import { testRedisUrl } from '#dev/cluster';
import { AppError } from '#libs/errors';
import { currentContext, runInBackground, runInsideTransaction } from '#libs/runtime';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { newJobId, PermanentJobError, RetryLater } from '../src/index.ts';
import { logger, openFixture, untilAborted, type Fixture } from './fixture.ts';
import { waitUntil } from '../../dev/cluster/src/wait-until.ts';

let fixture: Fixture;
beforeEach(async () => {
  fixture = await openFixture(testRedisUrl());
});
afterEach(() => fixture.close());

/** Runs something with BullMQ itself, as another program could. */
async function withRawQueue<T>(work: (queue: Queue) => Promise<T>): Promise<T> {
  const connection = new Redis(fixture.options.redisUrl);
  const queue = new Queue('jobs', { connection, prefix: fixture.options.prefix });
  try {
    return await work(queue);
  } finally {
    await queue.close();
    connection.disconnect();
  }
}

describe('a job', () => {
  it('reaches its handler with the payload and the ids of the call that enqueued it', async () => {
    const seen: unknown[] = [];
    await fixture.work({
      greet: async (payload, run) => {
        const context = currentContext();
        seen.push({ payload, attempt: run.attempt, callId: context?.requestId, traceParent: context?.traceParent });
      },
    });
    const traceParent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await runInBackground({ name: 'test', logger, timeoutMs: 5_000, requestId: 'call-1', traceParent }, async () => {
      await fixture.queue.enqueue('greet', { name: 'Ada' });
    });
    await waitUntil(() => seen.length === 1);
    expect(seen).toEqual([{ payload: { name: 'Ada' }, attempt: 1, callId: 'call-1', traceParent }]);
  });

  it('leaves nothing in Redis that could block a later job of the same kind', async () => {
    const seen: string[] = [];
    await fixture.work({ greet: async ({ name }) => void seen.push(name) });
    const first = await fixture.queue.enqueue('greet', { name: 'same' });
    await waitUntil(() => seen.length === 1);
    await waitUntil(async () => !(await fixture.queue.find([first])).has(first));
    await fixture.queue.enqueue('greet', { name: 'same' });
    await waitUntil(() => seen.length === 2);
  });

  it('has an id that is neither all digits nor holds a colon', () => {
    expect(newJobId()).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is retried as often as its definition says, and then becomes a dead letter', async () => {
    let tries = 0;
    await fixture.work({
      greet: async () => {
        tries += 1;
        throw new Error('broken');
      },
    });
    const jobId = await fixture.queue.enqueue('greet', { name: 'Ada' }, { callId: 'call-2' });
    await waitUntil(() => fixture.deadJobs.length === 1);
    expect(tries).toBe(3);
    expect(fixture.deadJobs).toEqual([
      {
        queue: 'jobs',
        name: 'greet',
        jobId,
        payload: { name: 'Ada' },
        error: 'Error: broken',
        attempts: 3,
        callId: 'call-2',
        failures: [1, 2, 3].map((attempt) => ({ time: expect.any(Date), attempt, error: 'Error: broken' })),
      },
    ]);
    await waitUntil(async () => (await fixture.queue.find([jobId])).size === 0);
  });

  it.each([
    ['PermanentJobError', new PermanentJobError('never')],
    ['an error that every attempt would meet', new AppError('not_found', 'TASK_NOT_FOUND', 'no such task')],
  ])('becomes a dead letter at its first attempt after %s', async (_name, error) => {
    await fixture.work({ greet: () => Promise.reject(error) });
    await fixture.queue.enqueue('greet', { name: 'Ada' });
    await waitUntil(() => fixture.deadJobs.length === 1);
    expect(fixture.deadJobs[0]?.attempts).toBe(1);
  });

  it('postpones itself with RetryLater without using up attempts', async () => {
    let starts = 0;
    await fixture.work({
      greet: async (_payload, run) => {
        starts += 1;
        expect(run.attempt).toBe(1);
        if (starts <= 5) throw new RetryLater(5);
      },
    });
    await fixture.queue.enqueue('greet', { name: 'Ada' });
    await waitUntil(() => starts === 6);
    expect(fixture.deadJobs).toEqual([]);
  });

  it('with an unknown name becomes a dead letter and is counted, but never completed', async () => {
    await fixture.work();
    await withRawQueue((queue) => queue.add('greets', { payload: { name: 'Ada' } }, { jobId: newJobId() }));
    await waitUntil(() => fixture.deadJobs.length === 1);
    expect(fixture.deadJobs[0]).toMatchObject({
      name: 'greets',
      error: 'PermanentJobError: no job is called "greets"',
      attempts: 1,
    });
    await waitUntil(async () =>
      /taskflow_job_runs_total\{.*outcome="dead_letter".*\} 1/.test(await fixture.metrics.registry.metrics()),
    );
    expect(await fixture.metrics.registry.metrics()).not.toMatch(/outcome="completed"/);
  });

  it('with a payload that breaks its schema becomes an unchanged dead letter', async () => {
    await fixture.work();
    await withRawQueue((queue) => queue.add('greet', { payload: { name: 7 } }, { jobId: newJobId() }));
    await waitUntil(() => fixture.deadJobs.length === 1);
    expect(fixture.deadJobs[0]).toMatchObject({ name: 'greet', payload: { name: 7 }, attempts: 1 });
  });

  it('fails when it exceeds its time, also when it ignores its signal', async () => {
    await fixture.work({ hurry: () => new Promise<never>(() => undefined) });
    await fixture.queue.enqueue('hurry', {});
    await waitUntil(() => fixture.deadJobs.length === 1);
    expect(fixture.deadJobs[0]?.error).toMatch(/^TimeoutError/);
  });

  it('sees by its signal that its time is over, and may end by itself', async () => {
    const reasons: unknown[] = [];
    await fixture.work({
      hurry: (_payload, run) => untilAborted(run).finally(() => reasons.push((run.signal.reason as Error).name)),
    });
    await fixture.queue.enqueue('hurry', {});
    await waitUntil(() => fixture.deadJobs.length === 1);
    expect(reasons).toEqual(['TimeoutError']);
  });

  it('waits longer after each failure, with a random part', async () => {
    await fixture.work({}, { paused: true });
    const jobId = await fixture.queue.enqueue('greet', { name: 'Ada' });
    const backoff = await withRawQueue(async (queue) => (await queue.getJob(jobId))?.opts.backoff);
    expect(backoff).toEqual({ type: 'exponential', delay: 20, jitter: 0.5 });
  });

  it('stays in the queue while its dead letter cannot be stored', async () => {
    let attempts = 0;
    await fixture.work(
      { greet: () => Promise.reject(new PermanentJobError('never')) },
      {
        addDeadJob: () => {
          attempts += 1;
          return Promise.reject(new Error('the database is down'));
        },
      },
    );
    const jobId = await fixture.queue.enqueue('greet', { name: 'Ada' });
    await waitUntil(() => attempts > 0);
    await waitUntil(async () => (await withRawQueue((queue) => queue.getDelayedCount())) === 1);
    expect(await fixture.queue.find([jobId])).toEqual(new Set([jobId]));
  });
});

describe('a queue', () => {
  it('refuses to be called inside a database transaction', async () => {
    await expect(runInsideTransaction(() => fixture.queue.enqueue('greet', { name: 'Ada' }))).rejects.toThrow(
      /transaction/,
    );
  });

  it('refuses a payload that breaks the schema before it reaches Redis', async () => {
    await expect(fixture.queue.enqueue('greet', { name: 7 } as never)).rejects.toThrow();
    expect(await withRawQueue((queue) => queue.getJobCountByTypes('wait', 'delayed'))).toBe(0);
  });

  it('knows which jobs are alive', async () => {
    const [first = '', second = ''] = await fixture.queue.enqueueMany([
      { name: 'greet', payload: { name: 'Ada' } },
      { name: 'hurry', payload: {} },
    ]);
    expect(await fixture.queue.find([first, newJobId(), second])).toEqual(new Set([first, second]));
  });
});
