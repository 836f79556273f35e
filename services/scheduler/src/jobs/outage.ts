import { AppError, errorTable } from '#libs/errors';
import { RetryLater, type JobRun } from '#libs/jobs';

const longestPauseMs = 30_000;

/** Whether something that the job needs is away or overloaded. */
export function isOutage(error: unknown): boolean {
  return error instanceof AppError && errorTable[error.kind].retryable;
}

/**
 * However long an outage lasts, it kills no job: the run is postponed, longer each time, without using up an attempt.
 * Everything else is the job's own fault and follows its retry policy.
 */
export async function outlastingOutages(run: JobRun, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isOutage(error)) throw error;
    const pauseMs = Math.min(longestPauseMs, 500 * 2 ** Math.min(run.starts, 10));
    throw new RetryLater(pauseMs * (0.5 + Math.random() / 2), 'postponed by an outage', { cause: error });
  }
}
