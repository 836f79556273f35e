import { runInBackground, type Clock, type Logger, type Metrics } from '#libs/runtime';
import { DelayedError, UnrecoverableError, WaitingError, type Job } from 'bullmq';
import type { DeadJob, DeadLetters } from './dead-letters.ts';
import type { Delays } from './delays.ts';
import { unwrap } from './envelope.ts';
import { describeError, noteFailure, type JobFailure } from './failures.ts';
import { isPermanent, RetryLater } from './outcomes.ts';

/** The outcome of one run, in logs and metrics. */
export type Outcome = 'completed' | 'retried' | 'postponed' | 'returned' | 'dead_letter' | 'dead_letter_failed';

export interface FailedRun {
  job: Job;
  token: string;
  error: unknown;
  /** The job's name in metrics. */
  label: string;
  /** The process is stopping, which is not the job's fault. */
  interrupted: boolean;
}

/** The outcome, and the error that BullMQ must receive for it. */
export interface FailureOutcome {
  outcome: Exclude<Outcome, 'completed'>;
  signal: Error;
}

export interface FailureContext {
  queue: string;
  deadLetters: DeadLetters;
  delays: Delays;
  logger: Logger;
  metrics: Metrics;
  clock: Clock;
  /** The failures of a job's earlier runs. */
  failuresOf(jobId: string): Promise<JobFailure[]>;
}

const deadLetterTimeoutMs = 10_000;

/** A dead job that could not be stored comes back after this and is tried once more. */
const deadLetterRetryMs = 5_000;

/**
 * Moves a job out of the worker's hands. When that fails, the job stays where it is, its lock expires, and another
 * worker takes it. BullMQ must be told either way that the job was moved: anything else could make it drop the job.
 */
async function move({ logger }: FailureContext, job: Job, moving: Promise<unknown>): Promise<void> {
  await moving.catch((error: unknown) =>
    logger.warn({ err: error, job: job.name, jobId: job.id }, 'could not move a job'),
  );
}

async function moveToDeadLetters(
  context: FailureContext,
  { job, token, error, label }: FailedRun,
): Promise<FailureOutcome> {
  const { queue, deadLetters, delays, logger, metrics, failuresOf } = context;
  const envelope = unwrap(job.data);
  try {
    // Redis may be away by now; the last error is known in any case.
    const failures = await failuresOf(job.id ?? '').catch(() => []);
    const deadJob: DeadJob = {
      queue,
      name: job.name,
      jobId: job.id ?? '',
      payload: envelope === undefined ? job.data : envelope.payload,
      error: describeError(error),
      attempts: job.attemptsMade + 1,
      callId: envelope?.callId ?? '',
      failures,
    };
    // In a context of its own, because that of the run has ended.
    await runInBackground(
      { name: 'dead-deadJob', logger, timeoutMs: deadLetterTimeoutMs, requestId: deadJob.callId || undefined },
      () => deadLetters.add(deadJob),
    );
  } catch (storeError) {
    logger.warn({ err: storeError, job: job.name, jobId: job.id }, 'could not store a dead letter');
    await move(context, job, delays.postpone(job, token, deadLetterRetryMs));
    return { outcome: 'dead_letter_failed', signal: new DelayedError() };
  }
  metrics
    .counter('taskflow_dead_letters_total', 'Jobs that will not run again.', ['queue', 'job'])
    .inc({ queue, job: label });
  return { outcome: 'dead_letter', signal: new UnrecoverableError(describeError(error)) };
}

function isLastAttempt(job: Job): boolean {
  return job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
}

/** Decides what follows a failed run, and does it. */
export async function handleFailure(context: FailureContext, failed: FailedRun): Promise<FailureOutcome> {
  const { job, token, error } = failed;
  if (!failed.interrupted) await noteFailure(job, error, context.clock.now());
  if (error instanceof RetryLater) {
    await move(context, job, context.delays.postpone(job, token, error.delayMs));
    return { outcome: 'postponed', signal: new DelayedError() };
  }
  if (failed.interrupted) {
    await move(context, job, job.moveToWait(token));
    return { outcome: 'returned', signal: new WaitingError() };
  }
  if (isPermanent(error) || isLastAttempt(job)) return moveToDeadLetters(context, failed);
  // Without a time the job counts as lost, and its owner enqueues another one.
  await move(context, job, context.delays.beforeRetry(job));
  return { outcome: 'retried', signal: error instanceof Error ? error : new Error(describeError(error)) };
}
