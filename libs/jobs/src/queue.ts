import type { Metrics } from '#libs/runtime';
import type { JobsOptions, Queue } from 'bullmq';
import { randomUUID } from 'node:crypto';
import type { EnqueueOptions, JobDefinition, JobName, JobPayload, NewJob } from './definition.ts';
import { wrap } from './envelope.ts';
import { openProducer, type Producer, type ProducerOptions } from './producer.ts';

export interface QueueOptions<J extends readonly JobDefinition[]> extends ProducerOptions {
  jobs: J;
  metrics: Metrics;
}

/**
 * Where jobs are put. Every method but `close` throws AppError unavailable/QUEUE_UNAVAILABLE within about two seconds when
 * Redis is away (the command may have run even so), and refuses to run inside a database transaction.
 */
export interface JobQueue<J extends readonly JobDefinition[]> {
  readonly name: string;
  /** Adds a job and gives its id. A payload that breaks its schema throws: a defect of the caller. */
  enqueue<N extends JobName<J>>(name: N, payload: JobPayload<J, N>, options?: EnqueueOptions): Promise<string>;
  enqueueMany(jobs: readonly NewJob<J>[]): Promise<string[]>;
  /** Sees to it that the job is enqueued every `everyMs`, once for all processes; the first time at once. Repeat it at leisure. */
  upsertSchedule<N extends JobName<J>>(id: string, everyMs: number, name: N, payload: JobPayload<J, N>): Promise<void>;
  nextRunTime(scheduleId: string): Promise<Date | undefined>;
  /** Those of the jobs that still wait, run or will be retried. */
  find(jobIds: readonly string[]): Promise<Set<string>>;
  /** Writes how full the queue is to the metrics; never throws. */
  measure(): Promise<void>;
  /** A guess without asking: false means that calls would fail at once. */
  isReachable(): boolean;
  close(): Promise<void>;
}

/** An id that no job has had: BullMQ ignores a job whose id it still knows, and refuses ids with ":" or of digits only. */
export function newJobId(): string {
  return randomUUID();
}

/** Enough to keep one pipeline well under the time that a command may take. */
const bulkSize = 500;

/** Finished jobs leave Redis at once: what has to be remembered about them is in PostgreSQL. */
function jobOptions(definition: JobDefinition): JobsOptions {
  return {
    attempts: definition.retry.attempts,
    backoff: { type: 'exponential', delay: definition.retry.backoffMs, jitter: 0.5 },
    removeOnComplete: true,
    removeOnFail: true,
  };
}

function definitionOf(jobs: readonly JobDefinition[], name: string): JobDefinition {
  const definition = jobs.find((job) => job.name === name);
  if (definition === undefined) throw new Error(`no job is called "${name}"`);
  return definition;
}

interface AnyJob extends EnqueueOptions {
  name: string;
  payload: unknown;
}

function toBulkJob(jobs: readonly JobDefinition[], job: AnyJob) {
  const definition = definitionOf(jobs, job.name);
  const data = wrap(definition.payload.parse(job.payload), job);
  return { name: job.name, data, opts: { ...jobOptions(definition), jobId: job.jobId ?? newJobId() } };
}

async function enqueueAll(producer: Producer, jobs: ReturnType<typeof toBulkJob>[]): Promise<string[]> {
  for (let start = 0; start < jobs.length; start += bulkSize) {
    await producer.use((queue) => queue.addBulk(jobs.slice(start, start + bulkSize)));
  }
  return jobs.map((job) => job.opts.jobId);
}

/** Whether a schedule is as it should be, and its next job is there or still to come. */
async function isScheduled(queue: Queue, id: string, everyMs: number): Promise<boolean> {
  const schedule = await queue.getJobScheduler(id);
  if (schedule?.next === undefined || Number(schedule.every) !== everyMs) return false;
  return schedule.next > Date.now() || (await queue.getJob(`repeat:${id}:${schedule.next}`)) !== undefined;
}

async function findAlive(producer: Producer, jobIds: readonly string[]): Promise<Set<string>> {
  if (jobIds.length === 0) return new Set();
  return producer.use(async (queue, redis) => {
    const pipeline = redis.pipeline();
    for (const id of jobIds) pipeline.exists(queue.toKey(id));
    const replies = (await pipeline.exec()) ?? [];
    const failed = replies.find(([error]) => error !== null);
    if (failed !== undefined || replies.length !== jobIds.length) throw failed?.[0] ?? new Error('Redis left replies out');
    return new Set(jobIds.filter((_, index) => replies[index]?.[1] === 1));
  });
}

function createGauges(metrics: Metrics, name: string) {
  const depth = metrics.gauge('taskflow_queue_depth', 'Jobs in the queue, by state.', ['queue', 'state']);
  const reachable = metrics.gauge('taskflow_queue_reachable', 'Whether the queue was in reach when last measured.', ['queue']);
  return async (producer: Producer): Promise<void> => {
    try {
      const counts = await producer.use((queue) => queue.getJobCounts('wait', 'active', 'delayed', 'failed'));
      for (const [state, count] of Object.entries(counts)) depth.set({ queue: name, state }, count);
      reachable.set({ queue: name }, 1);
    } catch {
      reachable.set({ queue: name }, 0);
    }
  };
}

/** Opens a queue. It connects in the background, also when Redis comes up later. Close it. */
export function createJobQueue<const J extends readonly JobDefinition[]>(options: QueueOptions<J>): JobQueue<J> {
  const producer = openProducer(options);
  const measure = createGauges(options.metrics, options.name);
  const declared = new Set<string>();
  const enqueueMany = (jobs: readonly AnyJob[]) =>
    enqueueAll(
      producer,
      jobs.map((job) => toBulkJob(options.jobs, job)),
    );

  return {
    name: options.name,
    enqueue: async (name, payload, jobOptions = {}) => {
      const [jobId = ''] = await enqueueMany([{ name, payload, ...jobOptions }]);
      return jobId;
    },
    enqueueMany,
    upsertSchedule: async (id, everyMs, name, payload) => {
      const definition = definitionOf(options.jobs, name);
      const data = { payload: definition.payload.parse(payload), callId: '', traceParent: '' };
      await producer.use(async (queue) => {
        // The first time in this process in any case: the job's own options may have changed with the release.
        if (declared.has(id) && (await isScheduled(queue, id, everyMs))) return;
        await queue.upsertJobScheduler(id, { every: everyMs }, { name, data, opts: jobOptions(definition) });
        declared.add(id);
      });
    },
    nextRunTime: (scheduleId) =>
      producer.use(async (queue) => {
        const next = (await queue.getJobScheduler(scheduleId))?.next;
        return next === undefined ? undefined : new Date(next);
      }),
    find: (jobIds) => findAlive(producer, jobIds),
    measure: () => measure(producer),
    isReachable: producer.isReachable,
    close: producer.close,
  };
}
