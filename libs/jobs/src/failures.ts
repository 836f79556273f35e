import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { RetryLater } from './outcomes.ts';

/** One run of a job that did not complete. */
export interface JobFailure {
  time: Date;
  /** A postponed run belongs to the attempt that it postpones. */
  attempt: number;
  error: string;
}

/** The oldest are dropped first. */
export const keptFailures = 20;

const row = z.object({ time: z.coerce.date(), attempt: z.number(), error: z.string() });

/** Name and message; for a postponement also its cause. */
export function describeError(error: unknown): string {
  if (error instanceof RetryLater && error.cause !== undefined)
    return `${error.name}: ${error.message}: ${describeError(error.cause)}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/**
 * Stores the failure beside the job in Redis, for as long as the job is there. Never throws, because the job's outcome
 * does not depend on it.
 */
export async function noteFailure(job: Job, error: unknown, time: Date): Promise<void> {
  const failure: JobFailure = { time, attempt: job.attemptsMade + 1, error: describeError(error) };
  await job.log(JSON.stringify(failure)).catch(() => undefined);
}

function parse(line: string): JobFailure[] {
  try {
    return [row.parse(JSON.parse(line))];
  } catch {
    return [];
  }
}

/** The stored failures, oldest first. `jobKey` is the job's key in Redis. */
export async function readFailures(redis: Redis, jobKey: string): Promise<JobFailure[]> {
  return (await redis.lrange(`${jobKey}:logs`, 0, -1)).flatMap(parse);
}
