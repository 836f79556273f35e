import type { Metrics } from '#libs/runtime';
import type { JobsOptions } from 'bullmq';
import { v7 as uuidv7 } from 'uuid';
import { queueNamesOf, type EnqueueOptions, type JobDefinition, type JobName, type JobPayload, type NewJob, type QueueName } from './definition.ts';
import { wrap } from './envelope.ts';
import { keptFailures } from './failures.ts';
import { createMeasure, findLiveJob, inspectQueue, type LiveJob, type QueueState } from './inspection.ts';
import { recordEnqueue } from './job-spans.ts';
import { openProducer, type Producer, type ProducerOptions } from './producer.ts';

export interface QueueOptions<J extends readonly JobDefinition[]> extends ProducerOptions {
  jobs: J;
  metrics: Metrics;
}

/**
 * Where jobs are put, each into the queue that its definition names. Every method but `close` throws AppError unavailable/QUEUE_UNAVAILABLE within about two seconds when
 * Redis is away (the command may have run even so), and refuses to run inside a database transaction.
 */
export interface JobQueue<J extends readonly JobDefinition[]> {
  readonly names: readonly QueueName<J>[];
  /** Adds a job and gives its id. A payload that breaks its schema throws: a defect of the caller. */
  enqueue<N extends JobName<J>>(name: N, payload: JobPayload<J, N>, options?: EnqueueOptions): Promise<string>;
  enqueueMany(jobs: readonly NewJob<J>[]): Promise<string[]>;
  /** Those of the jobs that still wait, run or will be retried. */
  find(jobIds: readonly string[]): Promise<Set<string>>;
  /** The job as it is in Redis; undefined when it has ended, or when Redis lost it. */
  findJob(jobId: string): Promise<LiveJob | undefined>;
  /** How full a queue is, and how fast it empties. */
  inspect(name: QueueName<J>): Promise<QueueState>;
  /** Writes how full the queues are to the metrics; never throws. */
  measure(): Promise<void>;
  /** A guess without asking: false means that calls would fail at once. */
  isReachable(): boolean;
  close(): Promise<void>;
}

/**
 * An id that no job has had: BullMQ ignores a job whose id it still knows, and refuses ids with ":" or of digits only.
 * It grows with time, so that tables which record it stay in order.
 */
export function newJobId(): string {
  return uuidv7();
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

function toBulkJob(jobs: readonly JobDefinition[], job: AnyJob) {
  const definition = definitionOf(jobs, job.name);
  const data = wrap(definition.payload.parse(job.payload), job);
  return { queue: definition.queue, job: { name: job.name, data, opts: { ...jobOptions(definition), jobId: job.jobId ?? newJobId() } } };
}

async function enqueueAll(producer: Producer, added: ReturnType<typeof toBulkJob>[]): Promise<string[]> {
  for (const name of new Set(added.map(({ queue }) => queue))) {
    const jobs = added.filter(({ queue }) => queue === name).map(({ job }) => job);
    for (let start = 0; start < jobs.length; start += bulkSize) {
      await recordEnqueue(name, jobs.slice(start, start + bulkSize), (part) => producer.use((queues) => queues(name).addBulk(part)));
    }
  }
  return added.map(({ job }) => job.opts.jobId);
}

async function findAlive(producer: Producer, names: readonly string[], jobIds: readonly string[]): Promise<Set<string>> {
  if (jobIds.length === 0) return new Set();
  return producer.use(async (queues, redis) => {
    const pipeline = redis.pipeline();
    for (const id of jobIds) pipeline.exists(...names.map((name) => queues(name).toKey(id)));
    const replies = (await pipeline.exec()) ?? [];
    const failed = replies.find(([error]) => error !== null);
    if (failed !== undefined || replies.length !== jobIds.length) throw failed?.[0] ?? new Error('Redis left replies out');
    return new Set(jobIds.filter((_, index) => Number(replies[index]?.[1]) > 0));
  });
}

/** Opens the queues of the definitions. They connect in the background, also when Redis comes up later. Close them. */
export function createJobQueue<const J extends readonly JobDefinition[]>(options: QueueOptions<J>): JobQueue<J> {
  const { jobs, metrics } = options;
  const names = queueNamesOf(jobs);
  const producer = openProducer(options, names);
  const measure = createMeasure(metrics, names);
  const enqueueMany = (added: readonly AnyJob[]) =>
    enqueueAll(
      producer,
      added.map((job) => toBulkJob(jobs, job)),
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
    inspect: (name) => producer.use((queues) => inspectQueue(queues(name))),
    measure: () => measure(producer),
    isReachable: producer.isReachable,
    close: producer.close,
  };
}
