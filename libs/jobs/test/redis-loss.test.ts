import { startTcpProxy, type TcpProxy, testRedisUrl } from '#dev/cluster';
import { AppError } from '#libs/errors';
import { createLogger } from '#libs/runtime';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openGuard, type Guard } from '../../dev/cluster/src/guard.ts';
import { startRedis, withConnection } from '../../dev/cluster/src/redis.ts';
import { createJobQueue, createJobWorker, UnsafeRedisError, type JobRun } from '../src/index.ts';
import { openFixture, untilAborted, workBehindBarrier, type Fixture } from './fixture.ts';
import { waitUntil } from '../../dev/cluster/src/wait-until.ts';

let proxy: TcpProxy;
let fixture: Fixture;
beforeEach(async () => {
  proxy = await startTcpProxy(testRedisUrl());
  fixture = await openFixture(proxy.url, { commandTimeoutMs: 1000 });
});
afterEach(async () => {
  await fixture.close();
  await proxy.close();
});

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(() => 'no failure').catch((error: unknown) => error);

const losses: [string, () => Promise<void>][] = [
  ['refuses connections', () => proxy.cut()],
  ['no longer answers', async () => proxy.freeze()],
];

describe('a producer', () => {
  it.each(losses)('fails instead of waiting while Redis %s, and works again afterwards', async (_name, takeAway) => {
    await fixture.queue.enqueue('greet', { name: 'before' });
    await takeAway();
    // Redis stays away until this has failed, so a call that waited for it would wait for ever.
    const error = await failureOf(fixture.queue.enqueue('greet', { name: 'during' }));
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ kind: 'unavailable', reason: 'QUEUE_UNAVAILABLE' });
    await proxy.restore();
    await waitUntil(async () => (await failureOf(fixture.queue.enqueue('greet', { name: 'after' }))) === 'no failure');
  });

  it('that was opened while Redis was away works once it is there', async () => {
    await proxy.cut();
    const queue = createJobQueue(fixture.options);
    expect(await failureOf(queue.enqueue('greet', { name: 'early' }))).toMatchObject({ reason: 'QUEUE_UNAVAILABLE' });
    await proxy.restore();
    await waitUntil(async () => (await failureOf(queue.enqueue('greet', { name: 'late' }))) === 'no failure');
    await queue.close();
  });
});

describe('a worker', () => {
  /** The queue, past the proxy. */
  let direct: Fixture['queue'];
  beforeEach(() => {
    direct = createJobQueue({ ...fixture.options, redisUrl: testRedisUrl() });
  });
  afterEach(() => direct.close());

  it('goes on by itself when Redis returns', async () => {
    const seen: string[] = [];
    await fixture.work({ greet: async ({ name }) => void seen.push(name) });
    await proxy.cut();
    await proxy.restore();
    await waitUntil(async () => (await failureOf(fixture.queue.enqueue('greet', { name: 'again' }))) === 'no failure');
    await waitUntil(() => seen.includes('again'));
  });

  it('stops while Redis is out of reach, without waiting for it', async () => {
    const worker = await fixture.work();
    await proxy.cut();
    await worker.stop();
  });

  it.each(losses)(
    'interrupts what runs after its grace and stops, also when Redis %s; the job runs again elsewhere',
    async (_name, takeAway) => {
      const reasons: unknown[] = [];
      const begun = Promise.withResolvers<void>();
      const worker = await fixture.work(
        {
          greet: (_payload, run) => {
            begun.resolve();
            return untilAborted(run).finally(() => reasons.push((run.signal.reason as Error).message));
          },
        },
        { graceMs: 100, lockMs: 600 },
      );
      await fixture.queue.enqueue('greet', { name: 'long' });
      await begun.promise;
      await takeAway();
      await worker.stop();
      expect(reasons).toEqual(['the process stops']);
      await proxy.restore();
      const seen: number[] = [];
      await fixture.work({ greet: async (_payload, run) => void seen.push(run.attempt) }, { lockMs: 600 });
      await waitUntil(() => seen.length === 1);
      expect(seen).toEqual([1]);
    },
  );

  it('lets running jobs end when it stops, and takes no new one', async () => {
    const { worker, started, ended, open } = await workBehindBarrier(fixture);
    await fixture.queue.enqueue('greet', { name: 'running' });
    await waitUntil(() => started.length === 1);
    const stopped = worker.stop();
    const late = await fixture.queue.enqueue('greet', { name: 'late' });
    open();
    await stopped;
    expect({ started, ended }).toEqual({ started: ['running'], ended: ['running'] });
    expect(await fixture.queue.find([late])).toEqual(new Set([late]));
  });

  it('does not start the job that it was fetching when it is stopped', async () => {
    let stopping = false;
    const begun: string[] = [];
    const worker = await fixture.work({ greet: async ({ name }) => void (stopping && begun.push(name)) });
    await waitUntil(() => direct.isReachable());
    // Redis has handed the job out, and the worker does not know it yet.
    proxy.delay(300);
    const jobId = await direct.enqueue('greet', { name: 'late' });
    await waitUntil(async () => (await direct.findJob(jobId))?.state === 'active');
    stopping = true;
    await worker.stop();
    expect(begun).toEqual([]);
    await fixture.work({ greet: async ({ name }) => void begun.push(name) });
    await waitUntil(() => begun.length === 1);
  });

  it('returns a job that does not end within the grace period, and another worker runs it', async () => {
    const attempts: number[] = [];
    let started = false;
    const greet = (_payload: unknown, run: JobRun) => {
      started = true;
      return untilAborted(run);
    };
    const worker = await fixture.work({ greet }, { graceMs: 100 });
    await fixture.queue.enqueue('greet', { name: 'long' });
    await waitUntil(() => started);
    await worker.stop();
    await fixture.work({ greet: async (_payload, run) => void attempts.push(run.attempt) });
    await waitUntil(() => attempts.length === 1);
    expect(attempts).toEqual([1]);
    expect(fixture.deadJobs).toEqual([]);
  });
});

describe('a process whose queue, board and worker were stopped', () => {
  it.each<[string, () => Promise<void>, number]>([
    ['answers', async () => undefined, 1],
    ['refuses connections, with no attempt under way', () => proxy.cut(), 300],
    ['refuses connections since just now', () => proxy.cut(), 0],
    ['no longer answers', async () => proxy.freeze(), 0],
  ])('has nothing left that keeps it alive, also while Redis %s', async (_name, takeAway, delayMs) => {
    const env = { ...process.env, REDIS_URL: proxy.url, PREFIX: fixture.options.prefix };
    const child = fork(fileURLToPath(new URL('leaving-process.ts', import.meta.url)), { env, execArgv: [] });
    try {
      await once(child, 'message');
      await takeAway();
      setTimeout(() => child.send('stop'), delayMs);
      const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
      expect([code, signal]).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });
});

/** Has a server of its own, because other tests use the shared one at the same time. */
describe('a Redis that may drop jobs', () => {
  let folder: string;
  let guard: Guard;
  let unsafe: TcpProxy;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'taskflow-unsafe-redis-'));
    guard = openGuard(folder);
    const server = await startRedis({ dir: join(folder, 'redis'), durable: false, guard });
    await withConnection(server.url, (redis) => redis.config('SET', 'maxmemory-policy', 'allkeys-lru'));
    unsafe = await startTcpProxy(server.url);
  });
  afterEach(async () => {
    await unsafe.close();
    await guard.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The worker refuses a Redis that may drop jobs; the lines are what it logs as errors. */
  function openWorker() {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const worker = createJobWorker({
      ...fixture.options,
      redisUrl: unsafe.url,
      logger: createLogger({ service: 'test', level: 'error', destination }),
      handlers: { greet: async () => undefined, hurry: async () => undefined },
      deadLetters: { add: async () => undefined },
      concurrency: { jobs: 1 },
      graceMs: 100,
      refuseEviction: true,
    });
    return { worker, lines };
  }

  it('is an error in the log, and refused if configured', async () => {
    const { worker, lines } = openWorker();
    await expect(worker.start()).rejects.toBeInstanceOf(UnsafeRedisError);
    expect(lines).toEqual([expect.stringContaining('Redis is not safe for jobs')]);
    await worker.stop();
  });

  it('is also noticed when Redis is reached only after the start', async () => {
    await unsafe.cut();
    const { worker, lines } = openWorker();
    await worker.start();
    await unsafe.restore();
    await waitUntil(() => lines.length > 0);
    expect(lines[0]).toContain('Redis is not safe for jobs');
    await worker.stop();
  });
});
