import { AppError, errorTable } from '#libs/errors';
import { RetryLater, type JobRun } from '#libs/jobs';
import { backoffMs } from '#libs/runtime';

/** Whether a dependency of the job is away, overloaded, or refuses the calls of this service by its configuration. */
export function isOutage(error: unknown): boolean {
  return error instanceof AppError && errorTable[error.kind].retryable;
}

/**
 * Postpones the run during an outage, longer each time, without using up an attempt, so that no outage kills a job. Other
 * errors are faults of the job and follow its retry policy.
 */
export async function outlastingOutages(run: JobRun, longestPauseMs: number, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isOutage(error)) throw error;
    const pauseMs = backoffMs({ firstMs: 1_000, maxMs: longestPauseMs }, run.starts);
    throw new RetryLater(pauseMs, 'postponed by an outage', { cause: error });
  }
}
