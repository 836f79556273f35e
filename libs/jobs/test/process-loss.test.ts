import { testRedisUrl } from '#dev/cluster';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { DeadJob } from '../src/index.ts';
import { openFixture, type Fixture } from './fixture.ts';
import { waitUntil } from '../../dev/cluster/src/wait-until.ts';

/** Short, so that a vanished process is noticed soon. */
const lockMs = 600;

interface Messages {
  started: string[];
  deadJobs: DeadJob[];
}

let fixture: Fixture;
let children: ChildProcess[];
let received: Messages;
beforeEach(async () => {
  fixture = await openFixture(testRedisUrl());
  children = [];
  received = { started: [], deadJobs: [] };
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await fixture.close();
});

/** Resolves when the process works. */
async function startProcess(): Promise<ChildProcess> {
  const env = {
    ...process.env,
    REDIS_URL: fixture.options.redisUrl,
    PREFIX: fixture.options.prefix,
    LOCK_MS: String(lockMs),
  };
  const child = fork(fileURLToPath(new URL('worker-process.ts', import.meta.url)), {
    env,
    execArgv: [],
    serialization: 'advanced',
  });
  children.push(child);
  child.on('message', (message: { started?: string; deadJob?: DeadJob }) => {
    if (message.started !== undefined) received.started.push(message.started);
    if (message.deadJob !== undefined) received.deadJobs.push(message.deadJob);
  });
  await once(child, 'message');
  return child;
}

const exited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

describe('a job', () => {
  it('whose process is killed runs elsewhere', async () => {
    const child = await startProcess();
    const jobId = await fixture.queue.enqueue('greet', { name: 'long' });
    await waitUntil(() => received.started.length > 0);
    child.kill('SIGKILL');
    const seen: unknown[] = [];
    await fixture.work({ greet: async (_payload, run) => void seen.push([run.jobId, run.attempt]) }, { lockMs });
    await waitUntil(() => seen.length === 1);
    // That its process vanished is not the job's failure.
    expect(seen).toEqual([[jobId, 1]]);
  });

  it('that kills its process every time becomes a dead letter, and the jobs behind it are done', async () => {
    const jobId = await fixture.queue.enqueue('greet', { name: 'poison' });
    while (received.deadJobs.length === 0) {
      const child = await startProcess();
      await waitUntil(() => exited(child) || received.deadJobs.length > 0);
    }
    expect(received.deadJobs).toMatchObject([
      { jobId, name: 'greet', payload: { name: 'poison' }, error: expect.stringContaining('vanished 6 times') },
    ]);
    expect(received.started).toEqual(Array.from({ length: 6 }, () => 'poison'));
    const seen: string[] = [];
    await fixture.work({ greet: async ({ name }) => void seen.push(name) }, { lockMs });
    await fixture.queue.enqueueMany(
      Array.from({ length: 5 }, (_, index) => ({ name: 'greet' as const, payload: { name: `after ${index}` } })),
    );
    await waitUntil(() => seen.length > 0);
    expect(await fixture.queue.find([jobId])).toEqual(new Set());
  }, 120_000);
});
