import { AppError, errorTable } from '#libs/errors';
import { RetryLater, type JobRun } from '#libs/jobs';

/** A sweep is cheap to try, and everything waits for it. */
const longestPauseMs = { delivery: 30_000, run: 5_000 } as const;

/** Whether something that the job needs is away or overloaded. */
export function isOutage(error: unknown): boolean {
  // A callee that does not believe who we are: its keys, or this process's clock. Another replica, or later, will do.
  return error instanceof AppError && (errorTable[error.kind].retryable || error.kind === 'unauthenticated');
}

/**
 * However long an outage lasts, it kills no job: the run is postponed, longer each time, without using up an attempt.
 * Everything else is the job's own fault and follows its retry policy.
 */
export async function outlastingOutages(run: JobRun, of: keyof typeof longestPauseMs, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isOutage(error)) throw error;
    const pauseMs = Math.min(longestPauseMs[of], 500 * 2 ** Math.min(run.starts, 10));
    throw new RetryLater(pauseMs * (0.5 + Math.random() / 2), 'postponed by an outage', { cause: error });
  }
}
