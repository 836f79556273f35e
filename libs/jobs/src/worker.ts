import { Worker, type Job } from 'bullmq';
import { AsyncResource } from 'node:async_hooks';
import { settlesWithin, systemClock } from '#libs/runtime';
import { openWorkerConnections } from './connection.ts';
import type { DeadLetters } from './dead-letters.ts';
import { createDelays, startPromoting } from './delays.ts';
import { queueNamesOf, type JobDefinition, type JobName, type JobPayload, type QueueName } from './definition.ts';
import { watchEvictionPolicy } from './eviction-policy.ts';
import { readFailures } from './failures.ts';
import { createProcessor } from './process-job.ts';
import type { QueueOptions } from './queue.ts';
import type { JobHandler, JobRun } from './run-job.ts';

/** One handler for each job; a missing one does not compile. Their effects must bear being repeated. */
export type JobHandlers<J extends readonly JobDefinition[]> = {
  [N in JobName<J>]: (payload: JobPayload<J, N>, run: JobRun) => Promise<void>;
};

export interface WorkerOptions<J extends readonly JobDefinition[]> extends QueueOptions<J> {
  handlers: JobHandlers<J>;
  deadLetters: DeadLetters;
  /** Jobs at the same time in this process, by queue. */
  concurrency: Readonly<Record<QueueName<J>, number>>;
  /** How long `stop` waits for running jobs before it interrupts them and returns them to the queue. */
  graceMs: number;
  /** Refuse to start on a Redis that may drop jobs. Otherwise the log has an error. */
  refuseEviction?: boolean;
  /** Start with all queues paused: no job runs until its queue is resumed. */
  paused?: boolean;
  /** No more runs than `max` begin within `perMs`, over all processes; others wait in the queue. */
  rates?: Readonly<Partial<Record<QueueName<J>, { max: number; perMs: number }>>> | undefined;
  /**
   * A process that gave no sign of life for this long loses its jobs to others. One time for all queues, or by queue.
   */
  lockMs?: number | Readonly<Partial<Record<QueueName<J>, number>>>;
}

/** Other processes take over within this time and the check's interval, which is at most a third of it. */
const defaultLockMs = 15_000;

/** The limit for returning interrupted jobs and for closing; it is reached only when Redis does not answer. */
const closeLimitMs = 2_000;

/** How many minutes of counted outcomes Redis keeps, for the rates. */
const keptMinutes = 60;

export interface JobWorker<Q extends string = string> {
  /** Starts to work, also when Redis starts later. Throws UnsafeRedisError with `refuseEviction`. */
  start(): Promise<void>;
  /** From now on this process starts no job of the queue; running ones go on. Idempotent, like `resume`. */
  pause(queue: Q): void;
  /** Ends `pause`. */
  resume(queue: Q): void;
  /** Takes no new job, waits for the running ones, then interrupts them and returns them. Never waits for Redis. */
  stop(): Promise<void>;
}

/** One queue's BullMQ worker. */
interface QueueWorker {
  start(): void;
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

interface Shared {
  options: WorkerOptions<readonly JobDefinition[]>;
  connections: ReturnType<typeof openWorkerConnections>;
  stopping: AbortSignal;
  /** Jobs that run in this process. */
  running: Set<Promise<void>>;
}

interface WorkerState {
  started: boolean;
  paused: boolean;
  worker: Worker | undefined;
}

function lockMsOf(name: string, { lockMs }: Pick<WorkerOptions<readonly JobDefinition[]>, 'lockMs'>): number {
  return (typeof lockMs === 'object' ? lockMs[name] : lockMs) ?? defaultLockMs;
}

function openBullWorker(
  name: string,
  perform: (job: Job, token?: string) => Promise<void>,
  { options, connections }: Shared,
): Worker {
  const { prefix, logger, concurrency } = options;
  const lockMs = lockMsOf(name, options);
  const rate = (options.rates as Record<string, { max: number; perMs: number }> | undefined)?.[name];
  const worker = new Worker(name, perform, {
    connection: connections.redis,
    prefix,
    autorun: false,
    concurrency: concurrency[name] ?? 1,
    lockDuration: lockMs,
    stalledInterval: lockMs / 3.75,
    // Counted when a job is read, where it can become a dead letter. BullMQ's own limit would drop the job.
    maxStalledCount: Number.MAX_SAFE_INTEGER,
    metrics: { maxDataPoints: keptMinutes },
    runRetryDelay: 1_000,
    ...(rate !== undefined && { limiter: { max: rate.max, duration: rate.perMs } }),
  });
  worker.on('error', (error) => logger.debug({ err: error, queue: name }, 'worker met an error'));
  worker.run().catch((error: unknown) => logger.error({ err: error, queue: name }, 'worker ended'));
  return worker;
}

function openQueueWorker(name: string, shared: Shared): QueueWorker {
  const { options, connections, stopping, running } = shared;
  const { prefix } = options;
  const state: WorkerState = { started: false, paused: options.paused ?? false, worker: undefined };
  const perform = createProcessor({
    ...options,
    handlers: options.handlers as Readonly<Record<string, JobHandler>>,
    queue: name,
    stopping,
    // While it closes, BullMQ still starts the job that it was fetching.
    mayBegin: () => !state.paused && state.started,
    clock: options.clock ?? systemClock,
    delays: createDelays(connections.redis, { toKey: (type) => `${prefix}:${name}:${type}` }),
    failuresOf: (jobId) => readFailures(connections.redis, `${prefix}:${name}:${jobId}`),
  });
  const track = (job: Job, token?: string): Promise<void> => {
    const run = perform(job, token);
    const settled = run.catch(() => undefined).finally(() => running.delete(settled));
    running.add(settled);
    return run;
  };
  // A caller of `resume` has a deadline, which later jobs must not inherit.
  const outside = new AsyncResource('job worker');
  const open = (): Worker => outside.runInAsyncScope(() => openBullWorker(name, track, shared));
  /** Closed workers that may still have running jobs. */
  const closing = new Set<Promise<void>>();
  const close = (): void => {
    if (state.worker === undefined) return;
    const closed = state.worker
      .close()
      .catch(() => undefined)
      .finally(() => closing.delete(closed));
    closing.add(closed);
    state.worker = undefined;
  };
  // BullMQ's own pause lets a worker take one more job.
  const apply = (change: Partial<Pick<typeof state, 'started' | 'paused'>>): void => {
    Object.assign(state, change);
    if (state.paused || !state.started) close();
    else state.worker ??= open();
  };

  return {
    start: () => apply({ started: true }),
    pause: () => apply({ paused: true }),
    resume: () => apply({ paused: false }),
    close: async () => {
      apply({ started: false });
      await Promise.all(closing);
    },
  };
}

/**
 * Works on the jobs of all queues. A dead process's jobs run elsewhere within 20 seconds, unless `lockMs` says
 * otherwise.
 */
export function createJobWorker<const J extends readonly JobDefinition[]>(
  options: WorkerOptions<J>,
): JobWorker<QueueName<J>> {
  const stopping = new AbortController();
  const connections = openWorkerConnections(options.redisUrl, options.logger);
  const running = new Set<Promise<void>>();
  const shared: Shared = {
    options: options as unknown as Shared['options'],
    connections,
    stopping: stopping.signal,
    running,
  };
  const workers = new Map<string, QueueWorker>(
    queueNamesOf(options.jobs).map((name) => [name, openQueueWorker(name, shared)]),
  );
  const all = [...workers.values()];

  let promoting: ReturnType<typeof startPromoting> | undefined;
  const stop = async (): Promise<void> => {
    const closed = Promise.all(all.map((worker) => worker.close()));
    const idle = Promise.all(running);
    await settlesWithin(idle, options.graceMs);
    stopping.abort(new Error('the process stops'));
    await settlesWithin(Promise.all([idle, closed, promoting?.stop()]), closeLimitMs);
    connections.disconnect();
  };
  let stopped: Promise<void> | undefined;

  return {
    start: async () => {
      await watchEvictionPolicy(connections.redis, options.logger, options.refuseEviction ?? false);
      promoting = startPromoting(options, queueNamesOf(options.jobs));
      for (const worker of all) worker.start();
    },
    pause: (queue) => workers.get(queue)?.pause(),
    resume: (queue) => workers.get(queue)?.resume(),
    stop: () => (stopped ??= stop()),
  };
}
