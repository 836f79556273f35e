import { Worker, type Job } from 'bullmq';
import { AsyncResource } from 'node:async_hooks';
import { watchClock } from './clock-watch.ts';
import { openWorkerConnections } from './connection.ts';
import type { DeadLetters } from './dead-letters.ts';
import { queueNamesOf, type JobDefinition, type JobName, type JobPayload, type QueueName } from './definition.ts';
import { watchEvictionPolicy } from './eviction-policy.ts';
import { readFailures } from './failures.ts';
import { createProcessor } from './process-job.ts';
import type { QueueOptions } from './queue.ts';
import type { JobHandler, JobRun } from './run-job.ts';
import { settlesWithin } from './time-limit.ts';

/** One handler for each job; a missing one does not compile. What they do must bear being done twice. */
export type JobHandlers<J extends readonly JobDefinition[]> = {
  [N in JobName<J>]: (payload: JobPayload<J, N>, run: JobRun) => Promise<void>;
};

export interface WorkerOptions<J extends readonly JobDefinition[]> extends QueueOptions<J> {
  handlers: JobHandlers<J>;
  deadLetters: DeadLetters;
  /** Jobs at a time in this process, for each queue. */
  concurrency: Readonly<Record<QueueName<J>, number>>;
  /** How long `stop` waits for running jobs before it interrupts them and gives them back. */
  graceMs: number;
  /** Refuse to start on a Redis that may throw jobs away; otherwise it is only said loudly. */
  refuseEviction?: boolean;
  /** Begin with all queues held: no job runs until its queue is released. */
  held?: boolean;
  /** A process that gave no sign of life for so long has lost its jobs to others; for all queues, or for some of them. */
  lockMs?: number | Readonly<Partial<Record<QueueName<J>, number>>>;
}

/** With the check for vanished processes, at most a third of it more, this is how soon their jobs run elsewhere. */
const defaultLockMs = 15_000;

/** For giving interrupted jobs back, and for closing: longer only when Redis does not answer. */
const closeLimitMs = 2_000;

/** Minutes of counted outcomes that Redis keeps, for the rates. */
const keptMinutes = 60;

export interface JobWorker<Q extends string = string> {
  /** Begins to work, also when Redis comes up later. Throws UnsafeRedisError, if asked to. */
  start(): Promise<void>;
  /** From now on this process begins no job of the queue; running ones go on. This and `release` may be repeated. */
  hold(queue: Q): void;
  /** Ends `hold`. */
  release(queue: Q): void;
  /** Takes no new job, waits for the running ones, then interrupts them and gives them back. Never hangs on Redis. */
  stop(): Promise<void>;
}

/** One queue's BullMQ worker. */
interface QueueWorker {
  start(): void;
  hold(): void;
  release(): void;
  /** While the process's clock is wrong it begins no job either. */
  setClockOff(isOff: boolean): void;
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
  held: boolean;
  clockOff: boolean;
  worker: Worker | undefined;
}

function lockMsOf(name: string, { lockMs }: Pick<WorkerOptions<readonly JobDefinition[]>, 'lockMs'>): number {
  return (typeof lockMs === 'object' ? lockMs[name] : lockMs) ?? defaultLockMs;
}

function openBullWorker(name: string, perform: (job: Job, token?: string) => Promise<void>, { options, connections }: Shared): Worker {
  const { prefix, logger, concurrency } = options;
  const lockMs = lockMsOf(name, options);
  const worker = new Worker(name, perform, {
    connection: connections.redis,
    prefix,
    autorun: false,
    concurrency: concurrency[name] ?? 1,
    lockDuration: lockMs,
    stalledInterval: lockMs / 3.75,
    // Counted when a job is read, where it can be buried; BullMQ's own limit would drop it.
    maxStalledCount: Number.MAX_SAFE_INTEGER,
    metrics: { maxDataPoints: keptMinutes },
    runRetryDelay: 1_000,
  });
  worker.on('error', (error) => logger.debug({ err: error, queue: name }, 'worker met an error'));
  worker.run().catch((error: unknown) => logger.error({ err: error, queue: name }, 'worker ended'));
  return worker;
}

function openQueueWorker(name: string, shared: Shared): QueueWorker {
  const { options, connections, stopping, running } = shared;
  const { prefix } = options;
  const state: WorkerState = { started: false, held: options.held ?? false, clockOff: false, worker: undefined };
  const isIdle = (): boolean => state.held || state.clockOff;
  const perform = createProcessor({
    ...options,
    handlers: options.handlers as Readonly<Record<string, JobHandler>>,
    queue: name,
    stopping,
    // Closing, BullMQ still begins what it was just fetching.
    mayBegin: () => !isIdle() && state.started,
    failuresOf: (jobId) => readFailures(connections.redis, `${prefix}:${name}:${jobId}`),
  });
  const track = (job: Job, token?: string): Promise<void> => {
    const run = perform(job, token);
    const settled = run.catch(() => undefined).finally(() => running.delete(settled));
    running.add(settled);
    return run;
  };
  // Whoever releases the queue has a deadline, which must not become that of all jobs that follow.
  const outside = new AsyncResource('job worker');
  const open = (): Worker => outside.runInAsyncScope(() => openBullWorker(name, track, shared));
  /** Those that were told to close and may still have running jobs. */
  const closing = new Set<Promise<void>>();
  const close = (): void => {
    if (state.worker === undefined) return;
    const closed = state.worker.close().catch(() => undefined).finally(() => closing.delete(closed));
    closing.add(closed);
    state.worker = undefined;
  };
  // BullMQ's own pause lets a worker take one more job.
  const follow = (change: Partial<Pick<typeof state, 'started' | 'held' | 'clockOff'>>): void => {
    Object.assign(state, change);
    if (isIdle() || !state.started) close();
    else state.worker ??= open();
  };

  return {
    start: () => follow({ started: true }),
    hold: () => follow({ held: true }),
    release: () => follow({ held: false }),
    setClockOff: (clockOff) => follow({ clockOff }),
    close: async () => {
      follow({ started: false });
      await Promise.all(closing);
    },
  };
}

/** Works on the jobs of all queues. A vanished process's jobs run elsewhere within 20 seconds, unless `lockMs` says otherwise. */
export function createJobWorker<const J extends readonly JobDefinition[]>(options: WorkerOptions<J>): JobWorker<QueueName<J>> {
  const stopping = new AbortController();
  const connections = openWorkerConnections(options.redisUrl, options.logger);
  const running = new Set<Promise<void>>();
  const shared: Shared = { options: options as unknown as Shared['options'], connections, stopping: stopping.signal, running };
  const workers = new Map<string, QueueWorker>(queueNamesOf(options.jobs).map((name) => [name, openQueueWorker(name, shared)]));
  const all = [...workers.values()];

  let endClockWatch = (): void => undefined;
  const stop = async (): Promise<void> => {
    endClockWatch();
    const closed = Promise.all(all.map((worker) => worker.close()));
    const idle = Promise.all(running);
    await settlesWithin(idle, options.graceMs);
    stopping.abort(new Error('the process stops'));
    await settlesWithin(Promise.all([idle, closed]), closeLimitMs);
    connections.disconnect();
  };
  let stopped: Promise<void> | undefined;

  return {
    start: async () => {
      await watchEvictionPolicy(connections.redis, options.logger, options.refuseEviction ?? false);
      endClockWatch = await watchClock(connections.redis, options.logger, (isOff) => {
        for (const worker of all) worker.setClockOff(isOff);
      });
      for (const worker of all) worker.start();
    },
    hold: (queue) => workers.get(queue)?.hold(),
    release: (queue) => workers.get(queue)?.release(),
    stop: () => (stopped ??= stop()),
  };
}
