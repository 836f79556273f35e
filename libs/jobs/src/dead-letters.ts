import type { JobFailure } from './failures.ts';

/** A job that will not run again. */
export interface DeadJob {
  queue: string;
  name: string;
  jobId: string;
  /** As it was enqueued; anything when it breaks its schema. */
  payload: unknown;
  /** The last error. */
  error: string;
  /** How often it was tried, the last time included. */
  attempts: number;
  callId: string;
  /** Its latest failed runs with the last one, oldest first; empty when Redis was away. */
  failures: JobFailure[];
}

/** Where dead jobs are stored: somewhere that outlives Redis. */
export interface DeadLetters {
  /** May be called again for the same jobId. When it throws, the job stays in the queue and is tried again. */
  add(job: DeadJob): Promise<void>;
}
