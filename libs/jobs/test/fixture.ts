import { createLogger, createMetrics, type Metrics } from '#libs/runtime';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { createJobQueue, createJobWorker, defineJob, type DeadJob, type JobHandlers, type JobQueue, type JobWorker } from '../src/index.ts';

export const jobs = [
  defineJob({ name: 'greet', payload: z.object({ name: z.string() }), retry: { attempts: 3, backoffMs: 20 }, timeoutMs: 5_000 }),
  defineJob({ name: 'hurry', payload: z.object({}), retry: { attempts: 1, backoffMs: 20 }, timeoutMs: 100 }),
] as const;

type Handlers = JobHandlers<typeof jobs>;

const done = async (): Promise<void> => undefined;
/** Checked by the compiler: a job without a handler is an error (E5). */
// @ts-expect-error hurry has no handler
export const incomplete: Handlers = { greet: done };

export const logger = createLogger({ service: 'test', level: 'silent' });

export interface Fixture {
  queue: JobQueue<typeof jobs>;
  metrics: Metrics;
  /** What the dead letters received. */
  buried: DeadJob[];
  options: { redisUrl: string; prefix: string; name: string; jobs: typeof jobs; logger: typeof logger; metrics: Metrics };
  work(handlers?: Partial<Handlers>, overrides?: { bury?: (job: DeadJob) => Promise<void>; graceMs?: number; redisUrl?: string }): Promise<JobWorker>;
  close(): Promise<void>;
}

/** A queue of its own on the shared Redis; everything it opened is closed by `close`. */
export async function openFixture(redisUrl: string): Promise<Fixture> {
  const metrics = createMetrics('test');
  const options = { redisUrl, prefix: `test-${randomUUID()}`, name: 'jobs', jobs, logger, metrics };
  const queue = createJobQueue(options);
  const workers: JobWorker[] = [];
  const buried: DeadJob[] = [];
  await until(() => queue.isReachable());
  return {
    queue,
    metrics,
    buried,
    options,
    work: async (handlers = {}, overrides = {}) => {
      const worker = createJobWorker({
        ...options,
        redisUrl: overrides.redisUrl ?? redisUrl,
        handlers: { greet: async () => undefined, hurry: async () => undefined, ...handlers },
        deadLetters: { bury: overrides.bury ?? (async (job) => void buried.push(job)) },
        concurrency: 2,
        graceMs: overrides.graceMs ?? 2_000,
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

/** Resolves once the condition holds; throws after ten seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not so within ten seconds: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
