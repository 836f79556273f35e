import type { Clock, Metrics } from '#libs/runtime';
import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { dueTimeOf } from './delays.ts';
import { unwrap } from './envelope.ts';
import { readFailures, type JobFailure } from './failures.ts';
import type { Producer } from './producer.ts';

/** How full a queue is and how fast it empties. */
export interface QueueState {
  name: string;
  waiting: number;
  active: number;
  /** Will be retried, or were postponed. */
  delayed: number;
  /** How long the next job has been in the queue; undefined when none waits. */
  oldestWaitingMs: number | undefined;
  /** Averages over the last five whole minutes, for all processes. */
  completedPerMinute: number;
  diedPerMinute: number;
}

/** A job as Redis knows it. */
export interface LiveJob {
  jobId: string;
  queue: string;
  name: string;
  state: 'waiting' | 'active' | 'delayed';
  payload: unknown;
  callId: string;
  /** Failed attempts so far. */
  attempts: number;
  maxAttempts: number;
  /** How often it was started, postponed and interrupted runs included. */
  starts: number;
  /** How often its process vanished. */
  stalls: number;
  enqueueTime: Date;
  /** When the current or last run began. */
  startTime: Date | undefined;
  /** When a delayed job will run. */
  nextRunTime: Date | undefined;
  failures: JobFailure[];
}

const minuteMs = 60_000;
const averagedMinutes = 5;

interface Counted {
  meta: { count: number; prevTS: number; prevCount: number };
  data: number[];
}

/**
 * BullMQ closes a minute's count only when a job of a later minute ends. `data` holds the closed counts, youngest
 * first.
 */
export function ratePerMinute({ meta, data }: Counted, now: number): number {
  const age = Math.floor(now / minuteMs) - Math.floor(meta.prevTS / minuteMs);
  const countOf = (minutesAgo: number): number => {
    if (minutesAgo === age) return meta.count - meta.prevCount;
    return minutesAgo > age ? (data[minutesAgo - age - 1] ?? 0) : 0;
  };
  let sum = 0;
  for (let minutesAgo = 1; minutesAgo <= averagedMinutes; minutesAgo += 1) sum += countOf(minutesAgo);
  return sum / averagedMinutes;
}

export async function inspectQueue(queue: Queue, time: Date): Promise<QueueState> {
  const now = time.getTime();
  const counts = await queue.getJobCounts('wait', 'active', 'delayed');
  const [next] = await queue.getJobs(['wait'], 0, 0, true);
  const [completed, died] = [await queue.getMetrics('completed'), await queue.getMetrics('failed')];
  return {
    name: queue.name,
    waiting: counts['wait'] ?? 0,
    active: counts['active'] ?? 0,
    delayed: counts['delayed'] ?? 0,
    oldestWaitingMs: next === undefined ? undefined : Math.max(0, now - next.timestamp),
    completedPerMinute: ratePerMinute(completed, now),
    diedPerMinute: ratePerMinute(died, now),
  };
}

const states: Readonly<Record<string, LiveJob['state']>> = {
  waiting: 'waiting',
  prioritized: 'waiting',
  active: 'active',
  delayed: 'delayed',
};

async function toLiveJob(job: Job, queue: Queue, redis: Redis): Promise<LiveJob> {
  const jobId = job.id ?? '';
  const envelope = unwrap(job.data);
  return {
    jobId,
    queue: queue.name,
    name: job.name,
    // Between two states for a moment: it will wait next.
    state: states[await job.getState()] ?? 'waiting',
    payload: envelope === undefined ? (job.data as unknown) : envelope.payload,
    callId: envelope?.callId ?? '',
    attempts: job.attemptsMade,
    maxAttempts: job.opts.attempts ?? 1,
    starts: job.attemptsStarted,
    stalls: job.stalledCounter,
    enqueueTime: new Date(job.timestamp),
    startTime: job.processedOn === undefined ? undefined : new Date(job.processedOn),
    nextRunTime: await dueTimeOf(redis, queue, jobId),
    failures: await readFailures(redis, queue.toKey(jobId)),
  };
}

/** Looks for the job in all queues. */
export async function findLiveJob(
  producer: Producer,
  names: readonly string[],
  jobId: string,
): Promise<LiveJob | undefined> {
  return producer.use(async (queues, redis) => {
    for (const name of names) {
      const queue = queues(name);
      const job = (await queue.getJob(jobId)) as Job | undefined;
      if (job !== undefined) return toLiveJob(job, queue, redis);
    }
    return undefined;
  });
}

/** Makes the function that writes the queues' sizes to the metrics; that never throws. */
export function createMeasure(
  metrics: Metrics,
  names: readonly string[],
  clock: Clock,
): (producer: Producer) => Promise<void> {
  const depth = metrics.gauge('taskflow_queue_depth', 'Jobs in the queue, by state.', ['queue', 'state']);
  const age = metrics.gauge(
    'taskflow_queue_oldest_waiting_seconds',
    'How long the job that is next has been in the queue.',
    ['queue'],
  );
  const reachable = metrics.gauge('taskflow_queue_reachable', 'Whether the queue was in reach when last measured.', [
    'queue',
  ]);
  const measureOne = async (producer: Producer, queue: string): Promise<void> => {
    try {
      const state = await producer.use((queues) => inspectQueue(queues(queue), clock.now()));
      for (const name of ['waiting', 'active', 'delayed'] as const) depth.set({ queue, state: name }, state[name]);
      age.set({ queue }, (state.oldestWaitingMs ?? 0) / 1_000);
      reachable.set({ queue }, 1);
    } catch {
      reachable.set({ queue }, 0);
    }
  };
  return async (producer) => void (await Promise.all(names.map((name) => measureOne(producer, name))));
}
