/** A job whose id is committed and that is to be put into the queue of its kind. */
export interface ClaimedJob {
  /** Of its kind. */
  name: string;
  jobId: string;
  payload: unknown;
  /** The call behind the job. */
  callId?: string;
  traceParent?: string;
  /** Of the other calls whose work the job does as well. */
  links?: readonly string[];
}

/** `count` rows were claimed, perhaps several for one job. */
export interface Claim {
  jobs: ClaimedJob[];
  count: number;
}

/** A row that a job is made for. */
export interface JobEffect {
  kind: string;
  id: string;
  state: string;
}

/** A row that a job was made for, and its progress. */
export interface RecordedEffect extends JobEffect {
  attempts: number;
  callId: string;
  enqueueTime: Date | undefined;
  finishTime: Date | undefined;
}

/** The rows behind the jobs of one kind. They are the truth: a job in Redis only carries the id of its row. */
export interface JobRows {
  /** Jobs that should be alive because pending rows wait for them, behind the id `after`; without those of the last seconds. */
  expectedJobs(after: string, limit: number): Promise<string[]>;
  /** Frees the pending rows of lost jobs, so that they get other jobs; returns how many of the jobs had any. */
  release(jobIds: readonly string[]): Promise<number>;
  /** The rows that the job was made for; empty when they were pruned. */
  effectsOf(jobId: string): Promise<RecordedEffect[]>;
}
