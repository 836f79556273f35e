import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { RetryLater } from './outcomes.ts';

/** One run of a job that did not complete. */
export interface JobFailure {
  time: Date;
  /** The attempt it belonged to; postponed runs belong to the one that they postpone. */
  attempt: number;
  error: string;
}

/** Older ones are forgotten first. */
export const keptFailures = 20;

const row = z.object({ time: z.coerce.date(), attempt: z.number(), error: z.string() });

/** Name and message, and of a postponement what it was postponed for. */
export function describeError(error: unknown): string {
  if (error instanceof RetryLater && error.cause !== undefined) return `${error.name}: ${error.message}: ${describeError(error.cause)}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** Keeps the failure beside the job in Redis, as long as the job is there. Never throws: it is a note, not the outcome. */
export async function noteFailure(job: Job, error: unknown): Promise<void> {
  const failure: JobFailure = { time: new Date(), attempt: job.attemptsMade + 1, error: describeError(error) };
  await job.log(JSON.stringify(failure)).catch(() => undefined);
}

function parse(line: string): JobFailure[] {
  try {
    return [row.parse(JSON.parse(line))];
  } catch {
    return [];
  }
}

/** What `noteFailure` has noted, oldest first. `jobKey` is the job's key in Redis. */
export async function readFailures(redis: Redis, jobKey: string): Promise<JobFailure[]> {
  return (await redis.lrange(`${jobKey}:logs`, 0, -1)).flatMap(parse);
}
