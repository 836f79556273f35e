import type { Logger, Metrics } from '#libs/runtime';
import { Worker, type Job } from 'bullmq';
import { openWorkerConnections } from './connection.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { JobDefinition, JobName, JobPayload } from './definition.ts';
import { unwrap } from './envelope.ts';
import { checkEvictionPolicy, UnsafeRedisError } from './eviction-policy.ts';
import { isPermanent, PermanentJobError } from './outcomes.ts';
import type { QueueOptions } from './queue.ts';
import { runAttempt, type JobHandler, type JobRun } from './run-job.ts';
import { settleFailure, type FailedRun, type Outcome } from './settle-job.ts';
import { settlesWithin } from './time-limit.ts';

/** One handler for each job; a missing one does not compile. What they do must bear being done twice. */
export type JobHandlers<J extends readonly JobDefinition[]> = {
  [N in JobName<J>]: (payload: JobPayload<J, N>, run: JobRun) => Promise<void>;
};

export interface WorkerOptions<J extends readonly JobDefinition[]> extends QueueOptions<J> {
  handlers: JobHandlers<J>;
  deadLetters: DeadLetters;
  /** Jobs at a time in this process. */
  concurrency: number;
  /** How long `stop` waits for running jobs before it interrupts them and gives them back. */
  graceMs: number;
  /** Refuse to start on a Redis that may throw jobs away; otherwise it is only said loudly. */
  refuseEviction?: boolean;
}

/** How soon the jobs of a process that vanished run elsewhere: at most the sum of both. */
const lockMs = 15_000;
const stalledCheckMs = 4_000;

/** A job that takes its process down with it every time must end somewhere. */
const maxStalls = 5;

/** For giving interrupted jobs back, and for closing: longer only when Redis does not answer. */
const closeLimitMs = 2_000;

/** Reads a stored job; throws PermanentJobError when no definition or no payload fits. */
function readJob(job: Job, options: WorkerOptions<readonly JobDefinition[]>) {
  const definition = options.jobs.find((candidate) => candidate.name === job.name);
  if (definition === undefined) throw new PermanentJobError(`no job is called "${job.name}"`);
  const handler = (options.handlers as Record<string, JobHandler>)[job.name];
  if (handler === undefined) throw new PermanentJobError(`nothing handles the job "${job.name}"`);
  if (job.stalledCounter > maxStalls) throw new PermanentJobError(`its process vanished ${job.stalledCounter} times`);
  const envelope = unwrap(job.data);
  const payload = definition.payload.safeParse(envelope?.payload);
  if (envelope === undefined || !payload.success) throw new PermanentJobError('the payload breaks its schema', { cause: payload.error });
  return { definition, handler, envelope, payload: payload.data };
}

async function attemptJob(job: Job, options: WorkerOptions<readonly JobDefinition[]>, stopping: AbortSignal): Promise<void> {
  const run = { jobId: job.id ?? '', attempt: job.attemptsMade + 1, starts: job.attemptsStarted };
  await runAttempt({ ...readJob(job, options), run, logger: options.logger, stopping });
}

function createReport({ logger, metrics, name: queue }: { logger: Logger; metrics: Metrics; name: string }) {
  const runs = metrics.counter('taskflow_job_runs_total', 'Runs of jobs, by what became of them.', ['queue', 'job', 'outcome']);
  const seconds = metrics.histogram('taskflow_job_duration_seconds', 'How long runs of jobs took.', ['queue', 'job']);
  /** The one line and the numbers of a run. */
  return (job: Job, label: string, outcome: Outcome, details: { durationMs: number; err?: unknown }) => {
    runs.inc({ queue, job: label, outcome });
    seconds.observe({ queue, job: label }, details.durationMs / 1_000);
    const callId = unwrap(job.data)?.callId;
    const line = { job: job.name, queue, jobId: job.id, callId, attempt: job.attemptsMade + 1, outcome, ...details };
    if (outcome === 'completed') logger.info(line, 'job completed');
    else if (outcome === 'buried') logger.error(line, 'job died');
    else logger.warn(line, 'job did not complete');
  };
}

/** What BullMQ runs for every job: one attempt, and after a failure the decision about what follows. */
function createProcessor(options: WorkerOptions<readonly JobDefinition[]>, stopping: AbortSignal) {
  const report = createReport(options);
  const mortuary = { ...options, queue: options.name };
  const settle = (failed: FailedRun) => settleFailure(mortuary, failed);
  return async (job: Job, token = ''): Promise<void> => {
    const startedAt = performance.now();
    const durationMs = () => Math.round(performance.now() - startedAt);
    // Anybody can write names into Redis; metrics must not grow with them.
    const label = options.jobs.some((definition) => definition.name === job.name) ? job.name : 'unknown';
    try {
      await attemptJob(job, options, stopping);
      report(job, label, 'completed', { durationMs: durationMs() });
    } catch (error) {
      const verdict = await settle({ job, token, error, label, interrupted: stopping.aborted && !isPermanent(error) });
      report(job, label, verdict.outcome, { durationMs: durationMs(), err: error });
      throw verdict.signal;
    }
  };
}

export interface JobWorker {
  /** Begins to work, also when Redis comes up later. Throws UnsafeRedisError, if asked to. */
  start(): Promise<void>;
  /** Takes no new job, waits for the running ones, then interrupts them and gives them back. Never hangs on Redis. */
  stop(): Promise<void>;
}

/** Works on the jobs of a queue. A vanished process's jobs run elsewhere within 20 seconds. */
export function createJobWorker<const J extends readonly JobDefinition[]>(options: WorkerOptions<J>): JobWorker {
  const stopping = new AbortController();
  const connections = openWorkerConnections(options.redisUrl, options.logger);
  const running = new Set<Promise<void>>();
  const perform = createProcessor(options as unknown as WorkerOptions<readonly JobDefinition[]>, stopping.signal);
  const worker = new Worker(
    options.name,
    (job, token) => {
      const run = perform(job, token);
      const settled = run.catch(() => undefined).finally(() => running.delete(settled));
      running.add(settled);
      return run;
    },
    {
      connection: connections.redis,
      prefix: options.prefix,
      autorun: false,
      concurrency: options.concurrency,
      lockDuration: lockMs,
      stalledInterval: stalledCheckMs,
      // Counted above, where such a job can be buried; BullMQ's own limit would drop it.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      runRetryDelay: 1_000,
    },
  );
  worker.on('error', (error) => options.logger.debug({ err: error }, 'worker met an error'));

  const checkEviction = async (): Promise<void> => {
    const check = checkEvictionPolicy(connections.redis);
    if (!(await settlesWithin(check, closeLimitMs))) return;
    try {
      await check;
    } catch (error) {
      if (!(error instanceof UnsafeRedisError)) return;
      options.logger.error({ err: error }, 'Redis is not safe for jobs');
      if (options.refuseEviction === true) throw error;
    }
  };

  const stop = async (): Promise<void> => {
    const closed = worker.close().catch(() => undefined);
    const idle = Promise.all(running);
    await settlesWithin(idle, options.graceMs);
    stopping.abort(new Error('the process stops'));
    await settlesWithin(Promise.all([idle, closed]), closeLimitMs);
    connections.disconnect();
  };
  let stopped: Promise<void> | undefined;

  return {
    start: async () => {
      await checkEviction();
      worker.run().catch((error: unknown) => options.logger.error({ err: error }, 'worker ended'));
    },
    stop: () => (stopped ??= stop()),
  };
}
