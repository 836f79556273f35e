import { runInBackground, type Logger, type Metrics } from '#libs/runtime';
import { DelayedError, UnrecoverableError, WaitingError, type Job } from 'bullmq';
import type { DeadJob, DeadLetters } from './dead-letters.ts';
import { unwrap } from './envelope.ts';
import { describeError, noteFailure, type JobFailure } from './failures.ts';
import { isPermanent, RetryLater } from './outcomes.ts';

/** What became of one run, as in logs and metrics. */
export type Outcome = 'completed' | 'retried' | 'postponed' | 'returned' | 'buried' | 'burial failed';

export interface FailedRun {
  job: Job;
  token: string;
  error: unknown;
  /** The job's name in metrics. */
  label: string;
  /** The process stops: the job is not to blame. */
  interrupted: boolean;
}

/** What BullMQ has to be told, by throwing it, and the name of it. */
export interface Verdict {
  outcome: Exclude<Outcome, 'completed'>;
  signal: Error;
}

export interface Mortuary {
  queue: string;
  deadLetters: DeadLetters;
  logger: Logger;
  metrics: Metrics;
  /** What has been noted about a job's earlier runs. */
  failuresOf(jobId: string): Promise<JobFailure[]>;
}

const burialTimeoutMs = 10_000;

/** A job whose burial failed comes back after this, and is then tried once more. */
const burialRetryMs = 5_000;

/**
 * Moves a job out of the worker's hands. When that fails, the job stays where it is; its lock runs out and another worker
 * takes it, so BullMQ must be told that it has been moved either way: anything else could make it drop the job.
 */
async function move({ logger }: Mortuary, job: Job, moving: Promise<unknown>): Promise<void> {
  await moving.catch((error: unknown) => logger.warn({ err: error, job: job.name, jobId: job.id }, 'could not move a job'));
}

async function bury(mortuary: Mortuary, { job, token, error, label }: FailedRun): Promise<Verdict> {
  const { queue, deadLetters, logger, metrics, failuresOf } = mortuary;
  const envelope = unwrap(job.data);
  try {
    // Redis may be away by now; the last error is known in any case.
    const failures = await failuresOf(job.id ?? '').catch(() => []);
    const letter: DeadJob = {
      queue,
      name: job.name,
      jobId: job.id ?? '',
      payload: envelope === undefined ? job.data : envelope.payload,
      error: describeError(error),
      attempts: job.attemptsMade + 1,
      callId: envelope?.callId ?? '',
      failures,
    };
    // In a context of its own: that of the run is over.
    await runInBackground({ name: 'burial', logger, timeoutMs: burialTimeoutMs, callId: letter.callId || undefined }, () => deadLetters.bury(letter));
  } catch (burialError) {
    logger.warn({ err: burialError, job: job.name, jobId: job.id }, 'could not bury a dead job');
    await move(mortuary, job, job.moveToDelayed(Date.now() + burialRetryMs, token));
    return { outcome: 'burial failed', signal: new DelayedError() };
  }
  metrics.counter('taskflow_dead_letters_total', 'Jobs that will not run again.', ['queue', 'job']).inc({ queue, job: label });
  return { outcome: 'buried', signal: new UnrecoverableError(describeError(error)) };
}

function isLastAttempt(job: Job): boolean {
  return job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
}

/** Decides what follows a failed run and does it. */
export async function settleFailure(mortuary: Mortuary, failed: FailedRun): Promise<Verdict> {
  const { job, token, error } = failed;
  if (!failed.interrupted) await noteFailure(job, error);
  if (error instanceof RetryLater) {
    await move(mortuary, job, job.moveToDelayed(Date.now() + error.delayMs, token));
    return { outcome: 'postponed', signal: new DelayedError() };
  }
  if (failed.interrupted) {
    await move(mortuary, job, job.moveToWait(token));
    return { outcome: 'returned', signal: new WaitingError() };
  }
  if (isPermanent(error) || isLastAttempt(job)) return bury(mortuary, failed);
  return { outcome: 'retried', signal: error instanceof Error ? error : new Error(describeError(error)) };
}
