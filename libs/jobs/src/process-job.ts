import { traceIdOf, type Logger, type Metrics } from '#libs/runtime';
import { WaitingError, type Job } from 'bullmq';
import type { JobDefinition } from './definition.ts';
import { unwrap } from './envelope.ts';
import { isPermanent, PermanentJobError } from './outcomes.ts';
import { runAttempt, type Attempt, type JobHandler } from './run-job.ts';
import { settleFailure, type FailedRun, type Mortuary, type Outcome } from './settle-job.ts';

export interface ProcessorOptions extends Mortuary {
  jobs: readonly JobDefinition[];
  handlers: Readonly<Record<string, JobHandler>>;
  /** Fires when the process stops and cannot wait any longer. */
  stopping: AbortSignal;
  /** Whether a job may begin. */
  mayBegin: () => boolean;
}

/** A job that takes its process down with it every time must end somewhere. */
const maxStalls = 5;

/** Reads a stored job; throws PermanentJobError when no definition or no payload fits. */
function readJob(job: Job, options: ProcessorOptions) {
  const definition = options.jobs.find((candidate) => candidate.name === job.name);
  if (definition === undefined) throw new PermanentJobError(`no job is called "${job.name}"`);
  const handler = options.handlers[job.name];
  if (handler === undefined) throw new PermanentJobError(`nothing handles the job "${job.name}"`);
  if (job.stalledCounter > maxStalls) throw new PermanentJobError(`its process vanished ${job.stalledCounter} times`);
  const envelope = unwrap(job.data);
  const payload = definition.payload.safeParse(envelope?.payload);
  if (envelope === undefined || !payload.success) throw new PermanentJobError('the payload breaks its schema', { cause: payload.error });
  return { definition, handler, envelope, payload: payload.data };
}

/** What finds a run's lines and its trace. */
interface RunIds {
  requestId?: string;
  traceId?: string;
}

/** `ids` gets those that the attempt runs under. */
async function attemptJob(job: Job, options: ProcessorOptions, ids: RunIds): Promise<void> {
  const onStart: Attempt['onStart'] = ({ callId, traceParent }) => Object.assign(ids, { requestId: callId, traceId: traceIdOf(traceParent) });
  const run = { jobId: job.id ?? '', attempt: job.attemptsMade + 1, starts: job.attemptsStarted };
  await runAttempt({ ...readJob(job, options), queue: options.queue, run, logger: options.logger, stopping: options.stopping, onStart });
}

function createReport({ logger, metrics, queue }: { logger: Logger; metrics: Metrics; queue: string }) {
  const runs = metrics.counter('taskflow_job_runs_total', 'Runs of jobs, by what became of them.', ['queue', 'job', 'outcome']);
  const seconds = metrics.histogram('taskflow_job_duration_seconds', 'How long runs of jobs took.', ['queue', 'job']);
  /** The one line and the numbers of a run. */
  return (job: Job, label: string, outcome: Outcome, details: RunIds & { durationMs: number; err?: unknown }) => {
    runs.inc({ queue, job: label, outcome });
    seconds.observe({ queue, job: label }, details.durationMs / 1_000);
    const line = { job: job.name, queue, jobId: job.id, attempt: job.attemptsMade + 1, outcome, ...details };
    if (outcome === 'completed') logger.info(line, 'job completed');
    else if (outcome === 'buried') logger.error(line, 'job died');
    else logger.warn(line, 'job did not complete');
  };
}

/** What BullMQ runs for every job: one attempt, and after a failure the decision about what follows. */
export function createProcessor(options: ProcessorOptions): (job: Job, token?: string) => Promise<void> {
  const report = createReport(options);
  const settle = (failed: FailedRun) => settleFailure(options, failed);
  return async (job, token = '') => {
    if (!options.mayBegin()) return giveBack(job, token);
    const startedAt = performance.now();
    const durationMs = () => Math.round(performance.now() - startedAt);
    // Anybody can write names into Redis; metrics must not grow with them.
    const label = options.jobs.some((definition) => definition.name === job.name) ? job.name : 'unknown';
    const ids: RunIds = { requestId: unwrap(job.data)?.callId ?? '' };
    try {
      await attemptJob(job, options, ids);
      report(job, label, 'completed', { ...ids, durationMs: durationMs() });
    } catch (error) {
      const verdict = await settle({ job, token, error, label, interrupted: options.stopping.aborted && !isPermanent(error) });
      report(job, label, verdict.outcome, { ...ids, durationMs: durationMs(), err: error });
      throw verdict.signal;
    }
  };
}

/** It was being fetched while the queue was held, or when the worker was told to stop. */
async function giveBack(job: Job, token: string): Promise<never> {
  await job.moveToWait(token).catch(() => undefined);
  throw new WaitingError();
}
