import type { DeadJob, LiveJob, QueueState } from '#libs/jobs';
import type { ClaimedJob } from './job-rows.ts';

export type { DeadJob, LiveJob };

/** The job queue. All methods that ask Redis throw AppError unavailable/QUEUE_UNAVAILABLE, fast, while it is away. */
export interface QueuePort {
  isReachable(): boolean;
  newJobId(): string;
  /** Puts each job into the queue of its kind. */
  enqueue(jobs: readonly ClaimedJob[]): Promise<void>;
  /** Those of the jobs that still wait, run or will be retried. */
  findAlive(jobIds: string[]): Promise<Set<string>>;
  readonly names: readonly string[];
  inspect(queue: string): Promise<QueueState>;
  /** The job as it is in Redis; undefined when it has ended, or when Redis lost it. */
  findJob(jobId: string): Promise<LiveJob | undefined>;
  /** Never throws. */
  measure(): Promise<void>;
}

/** Jobs of this process whose ids are committed and that are not in the queue yet. */
export interface ClaimedJobs {
  /** False while the queue does not keep up: then nothing more is claimed ahead of it. */
  hasRoom(): boolean;
  isEmpty(): boolean;
  put(jobs: readonly ClaimedJob[]): void;
  /** Returns all of them and forgets them. */
  take(): ClaimedJob[];
}
