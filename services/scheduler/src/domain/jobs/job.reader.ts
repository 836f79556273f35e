import type { DeadLetterValues } from './dead-letter.columns.ts';

/** Reads what PostgreSQL knows of queues, jobs and the events behind them. */
export interface JobReader {
  /** The queues that are paused. */
  pausedQueues(): Promise<Map<string, { pausedBy: string; pauseTime: Date }>>;
  /** By queue; counted up to a bound. */
  openDeadLetters(): Promise<Map<string, number>>;
  /** Youngest first, behind the id `after`. */
  deadLetters(
    filter: { queue: string; name: string; includeResolved: boolean },
    after: string | undefined,
    limit: number,
  ): Promise<DeadLetterValues[]>;
  deadLetterOf(jobId: string, queues: readonly string[]): Promise<DeadLetterValues | undefined>;
}
