/** What PostgreSQL has for the loops of a process, in one look. */
export interface WaitingWork {
  pausedQueues: ReadonlySet<string>;
  /** Whether a fire time has come. */
  schedules: boolean;
  /** Whether a notification waits for its recipient's hour to be looked up. */
  plans: boolean;
  /** Whether a row waits for a job. */
  jobs: boolean;
}

export type WaitingWorkReader = () => Promise<WaitingWork>;
