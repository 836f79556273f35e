import { systemClock, type Clock, type Metrics } from '#libs/runtime';
import type { JobsOptions } from 'bullmq';
import { v7 as uuidv7 } from 'uuid';
import {
  queueNamesOf,
  type EnqueueOptions,
  type JobDefinition,
  type JobName,
  type JobPayload,
  type NewJob,
  type QueueName,
} from './definition.ts';
import { wrap } from './envelope.ts';
import { findAlive } from './delays.ts';
import { keptFailures } from './failures.ts';
import { createMeasure, findLiveJob, inspectQueue, type LiveJob, type QueueState } from './inspection.ts';
import { recordEnqueue } from './job-spans.ts';
import { openProducer, type Producer, type ProducerOptions } from './producer.ts';

export interface QueueOptions<J extends readonly JobDefinition[]> extends ProducerOptions {
  jobs: J;
  metrics: Metrics;
  /** The clock that the age of jobs is computed with. */
  clock?: Clock;
}

/**
 * Puts jobs into the queues that their definitions name. Every method but `close` throws AppError
 * unavailable/QUEUE_UNAVAILABLE within about two seconds when Redis is away (the command may have run all the same),
 * and throws a defect inside a database transaction.
 */
export interface JobQueue<J extends readonly JobDefinition[]> {
  readonly names: readonly QueueName<J>[];
  /** Adds a job and returns its id. Throws when the payload breaks its schema, which is a defect of the caller. */
  enqueue<N extends JobName<J>>(name: N, payload: JobPayload<J, N>, options?: EnqueueOptions): Promise<string>;
  enqueueMany(jobs: readonly NewJob<J>[]): Promise<string[]>;
  /** Returns the jobs that wait, run or will be retried; not those whose delay should have ended a while ago. */
  find(jobIds: readonly string[]): Promise<Set<string>>;
  /** The job as Redis holds it; undefined when it has ended or Redis has lost it. */
  findJob(jobId: string): Promise<LiveJob | undefined>;
  /** How full a queue is, and how fast it empties. */
  inspect(name: QueueName<J>): Promise<QueueState>;
  /** Writes how full the queues are to the metrics; never throws. */
  measure(): Promise<void>;
  /** From the connection's state, without asking Redis. False means that calls would fail at once. */
  isReachable(): boolean;
  close(): Promise<void>;
}

/**
 * An id that no job has had: BullMQ ignores a job whose id it still knows, and refuses ids with ":" or of digits only.
 * Ids grow with time, so that tables which record them stay in order.
 */
export function newJobId(): string {
  return uuidv7();
}

/** Small enough for one pipeline to end well within a command's time limit. */
const bulkSize = 500;

/** Finished jobs leave Redis at once. PostgreSQL holds what must be remembered about them. */
function jobOptions(definition: JobDefinition): JobsOptions {
  return {
    attempts: definition.retry.attempts,
    backoff: { type: 'exponential', delay: definition.retry.backoffMs, jitter: 0.5 },
    removeOnComplete: true,
    removeOnFail: true,
    keepLogs: keptFailures,
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

function toBulkJob(jobs: readonly JobDefinition[], job: AnyJob, now: Date) {
  const definition = definitionOf(jobs, job.name);
  const data = wrap(definition.payload.parse(job.payload), job);
  return {
    queue: definition.queue,
    job: {
      name: job.name,
      data,
      opts: { ...jobOptions(definition), timestamp: now.getTime(), jobId: job.jobId ?? newJobId() },
    },
  };
}

async function enqueueAll(producer: Producer, added: ReturnType<typeof toBulkJob>[]): Promise<string[]> {
  for (const name of new Set(added.map(({ queue }) => queue))) {
    const jobs = added.filter(({ queue }) => queue === name).map(({ job }) => job);
    for (let start = 0; start < jobs.length; start += bulkSize) {
      await recordEnqueue(name, jobs.slice(start, start + bulkSize), (part) =>
        producer.use((queues) => queues(name).addBulk(part)),
      );
    }
  }
  return added.map(({ job }) => job.opts.jobId);
}

/** Opens the queues of the definitions. They connect in the background, also when Redis starts later. Close them. */
export function createJobQueue<const J extends readonly JobDefinition[]>(options: QueueOptions<J>): JobQueue<J> {
  const { jobs, metrics, clock = systemClock } = options;
  const names = queueNamesOf(jobs);
  const producer = openProducer(options, names);
  const measure = createMeasure(metrics, names, clock);
  const enqueueMany = (added: readonly AnyJob[]) =>
    enqueueAll(
      producer,
      added.map((job) => toBulkJob(jobs, job, clock.now())),
    );

  return {
    names,
    enqueue: async (name, payload, jobOptions = {}) => {
      const [jobId = ''] = await enqueueMany([{ name, payload, ...jobOptions }]);
      return jobId;
    },
    enqueueMany,
    find: (jobIds) => findAlive(producer, names, jobIds),
    findJob: (jobId) => findLiveJob(producer, names, jobId),
    inspect: (name) => producer.use((queues) => inspectQueue(queues(name), clock.now())),
    measure: () => measure(producer),
    isReachable: producer.isReachable,
    close: producer.close,
  };
}
