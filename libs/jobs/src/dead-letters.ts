import type { JobFailure } from './failures.ts';

/** A job that will not run again. */
export interface DeadJob {
  queue: string;
  name: string;
  jobId: string;
  /** As it was enqueued; it may be anything when it broke its schema. */
  payload: unknown;
  /** Why it died. */
  error: string;
  /** How often it was tried, this time included. */
  attempts: number;
  callId: string;
  /** The youngest of its failed runs, this one included, oldest first; empty when Redis was away. */
  failures: JobFailure[];
}

/** Where dead jobs are kept: somewhere that outlives Redis. */
export interface DeadLetters {
  /** May be called again for the same jobId. When it throws, the job stays in the queue and is tried again. */
  bury(job: DeadJob): Promise<void>;
}
