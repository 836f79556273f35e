import { createLogger, createMetrics, type Metrics } from '#libs/runtime';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { waitUntil } from '../../dev/cluster/src/wait-until.ts';
import {
  createJobQueue,
  createJobWorker,
  defineJob,
  type DeadJob,
  type JobHandlers,
  type JobQueue,
  type JobRun,
  type JobWorker,
} from '../src/index.ts';

export const jobs = [
  defineJob({
    name: 'greet',
    queue: 'jobs',
    payload: z.object({ name: z.string() }),
    retry: { attempts: 3, backoffMs: 20 },
    timeoutMs: 5_000,
  }),
  defineJob({
    name: 'hurry',
    queue: 'jobs',
    payload: z.object({}),
    retry: { attempts: 1, backoffMs: 20 },
    timeoutMs: 100,
  }),
] as const;

type Handlers = JobHandlers<typeof jobs>;

const done = async (): Promise<void> => undefined;
/* Checked by the compiler: producers and workers can only be made of the same list. */
// @ts-expect-error hurry has no handler
export const incomplete: Handlers = { greet: done };
// @ts-expect-error nobody enqueues this
export const idle: Handlers = { greet: done, hurry: done, wave: done };
export const wrongUses = [
  // @ts-expect-error no handler is made for this name
  (queue: JobQueue<typeof jobs>) => queue.enqueue('wave', {}),
  // @ts-expect-error the payload belongs to another job
  (queue: JobQueue<typeof jobs>) => queue.enqueue('greet', {}),
  // @ts-expect-error a name of one job with the payload of another
  (queue: JobQueue<typeof jobs>) => queue.enqueueMany([{ name: 'greet', payload: { count: 1 } }]),
];

export const logger = createLogger({ service: 'test', level: 'silent' });

interface WorkOverrides {
  addDeadJob?: (job: DeadJob) => Promise<void>;
  graceMs?: number;
  redisUrl?: string;
  paused?: boolean;
  lockMs?: number;
  rates?: { jobs: { max: number; perMs: number } };
}

export interface Fixture {
  queue: JobQueue<typeof jobs>;
  metrics: Metrics;
  /** What the dead letters received. */
  deadJobs: DeadJob[];
  options: { redisUrl: string; prefix: string; jobs: typeof jobs; logger: typeof logger; metrics: Metrics };
  work(handlers?: Partial<Handlers>, overrides?: WorkOverrides): Promise<JobWorker<'jobs'>>;
  close(): Promise<void>;
}

/** A machine that is busy with other tests must not look like a Redis that is gone. */
const patientMs = 30_000;

/** A queue of its own on the shared Redis; everything it opened is closed by `close`. */
export async function openFixture(redisUrl: string, { commandTimeoutMs = patientMs } = {}): Promise<Fixture> {
  const metrics = createMetrics('test');
  const options = { redisUrl, prefix: `test-${randomUUID()}`, jobs, logger, metrics, commandTimeoutMs };
  const queue = createJobQueue(options);
  const workers: JobWorker[] = [];
  const deadJobs: DeadJob[] = [];
  await waitUntil(() => queue.isReachable());
  return {
    queue,
    metrics,
    deadJobs,
    options,
    work: async (handlers = {}, overrides = {}) => {
      const { addDeadJob = async (job) => void deadJobs.push(job), ...settings } = overrides;
      const worker = createJobWorker({
        ...options,
        handlers: { greet: async () => undefined, hurry: async () => undefined, ...handlers },
        deadLetters: { add: addDeadJob },
        concurrency: { jobs: 2 },
        graceMs: 2_000,
        ...settings,
      });
      workers.push(worker);
      await worker.start();
      return worker;
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
      await queue.close();
    },
  };
}

/** Ends when the run's signal fires, with the reason as its error. */
export const untilAborted = ({ signal }: JobRun): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

/** A worker whose greetings end only when the barrier is opened, and what has begun and ended. */
export async function workBehindBarrier(fixture: Fixture, waits: (name: string) => boolean = () => true) {
  const barrier = Promise.withResolvers<void>();
  const started: string[] = [];
  const ended: string[] = [];
  const worker = await fixture.work({
    greet: async ({ name }) => {
      started.push(name);
      if (waits(name)) await barrier.promise;
      ended.push(name);
    },
  });
  return { worker, started, ended, open: barrier.resolve };
}
