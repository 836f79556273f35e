import type { Claim, JobEffect, JobRows } from './job-rows.ts';

/** A job that will not run again. */
export interface Death<P> {
  jobId: string;
  /** Undefined when it broke the schema of its kind. */
  payload: P | undefined;
  attempts: number;
  error: string;
}

/** The rows in PostgreSQL that jobs of a kind are made for. `R`: the repositories of a unit of work. */
export interface RecordedWork<R, P> {
  /** The name of a row in GetJob and in the label `kind` of taskflow_jobs_reconciled_total. */
  readonly effect: string;
  rows(repositories: R): JobRows;
  /** Records a job for up to `limit` pending rows that have none. Replicas never get the same rows. */
  claim(repositories: R, limit: number, newJobId: () => string): Promise<Claim>;
  /** Ends the rows of a dead job, so that no other job is made for them. */
  end(repositories: R, death: Death<P>): Promise<void>;
  /** Makes the rows of a dead job pending again. */
  revive(repositories: R, payload: P): Promise<JobEffect[]>;
}

/** A kind of job as use-cases see it, its payloads unchecked. */
export interface JobWork<R> extends Omit<RecordedWork<R, unknown>, 'revive'> {
  readonly name: string;
  /** Undefined when the payload breaks the schema of the kind. */
  revive(repositories: R, payload: unknown): Promise<JobEffect[] | undefined>;
}
