import { traceIdOf, type Logger, type Metrics } from '#libs/runtime';
import { WaitingError, type Job } from 'bullmq';
import type { JobDefinition } from './definition.ts';
import { unwrap } from './envelope.ts';
import { isPermanent, PermanentJobError } from './outcomes.ts';
import { runAttempt, type Attempt, type JobHandler } from './run-job.ts';
import { handleFailure, type FailureContext, type Outcome } from './failed-run.ts';

export interface ProcessorOptions extends FailureContext {
  jobs: readonly JobDefinition[];
  handlers: Readonly<Record<string, JobHandler>>;
  /** Fires when the process stops and cannot wait any longer. */
  stopping: AbortSignal;
  /** Whether a job may begin. */
  mayBegin: () => boolean;
}

/** A job that ends its process every time must stop at some point. */
const maxStalls = 5;

/** Reads a stored job. Throws PermanentJobError when its name or its payload fits no definition. */
function readJob(job: Job, options: ProcessorOptions) {
  const definition = options.jobs.find((candidate) => candidate.name === job.name);
  if (definition === undefined) throw new PermanentJobError(`no job is called "${job.name}"`);
  const handler = options.handlers[job.name];
  if (handler === undefined) throw new PermanentJobError(`nothing handles the job "${job.name}"`);
  if (job.stalledCounter > maxStalls) throw new PermanentJobError(`its process vanished ${job.stalledCounter} times`);
  const envelope = unwrap(job.data);
  const payload = definition.payload.safeParse(envelope?.payload);
  if (envelope === undefined || !payload.success)
    throw new PermanentJobError('the payload breaks its schema', { cause: payload.error });
  return { definition, handler, envelope, payload: payload.data };
}

/** The ids that logs and traces of a run are found by. */
interface RunIds {
  requestId?: string;
  traceId?: string;
}

/** Writes the ids of the attempt into `ids`. */
async function attemptJob(job: Job, options: ProcessorOptions, ids: RunIds): Promise<void> {
  const onStart: Attempt['onStart'] = ({ requestId, traceParent }) =>
    Object.assign(ids, { requestId, traceId: traceIdOf(traceParent) });
  const run = { jobId: job.id ?? '', attempt: job.attemptsMade + 1, starts: job.attemptsStarted };
  await runAttempt({
    ...readJob(job, options),
    queue: options.queue,
    run,
    logger: options.logger,
    stopping: options.stopping,
    onStart,
  });
}

function createReport({ logger, metrics, queue }: { logger: Logger; metrics: Metrics; queue: string }) {
  const runs = metrics.counter('taskflow_job_runs_total', 'Runs of jobs, by outcome.', ['queue', 'job', 'outcome']);
  const seconds = metrics.histogram('taskflow_job_duration_seconds', 'How long runs of jobs took.', ['queue', 'job']);
  /** Logs one line and counts a run. */
  return (job: Job, label: string, outcome: Outcome, details: RunIds & { durationMs: number; err?: unknown }) => {
    runs.inc({ queue, job: label, outcome });
    seconds.observe({ queue, job: label }, details.durationMs / 1_000);
    const line = { job: job.name, queue, jobId: job.id, attempt: job.attemptsMade + 1, outcome, ...details };
    if (outcome === 'completed') logger.info(line, 'job completed');
    else if (outcome === 'dead_letter') logger.error(line, 'job died');
    else logger.warn(line, 'job did not complete');
  };
}

/** Makes the function that BullMQ runs for every job: one attempt, and after a failure the decision what follows. */
export function createProcessor(options: ProcessorOptions): (job: Job, token?: string) => Promise<void> {
  const report = createReport(options);
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
      const after = await handleFailure(options, {
        job,
        token,
        error,
        label,
        interrupted: options.stopping.aborted && !isPermanent(error),
      });
      report(job, label, after.outcome, { ...ids, durationMs: durationMs(), err: error });
      throw after.signal;
    }
  };
}

/** The job was being fetched while its queue was paused or the worker was stopping. */
async function giveBack(job: Job, token: string): Promise<never> {
  await job.moveToWait(token).catch(() => undefined);
  throw new WaitingError();
}
