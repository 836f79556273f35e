import type { ScheduleJob } from '#contract/scheduler/v1/scheduler';
import type { JobEffect, JobRows } from '../jobs/job-rows.ts';
import type { Prune } from '../events/retention.ts';
import type { RunState, ScheduleRunValues } from './schedule.columns.ts';

/** A run that has to end before another one of its schedule begins. */
export interface RunAhead {
  runId: string;
  /** Why the schedule's last try failed; undefined when it did not. */
  lastFailure: string | undefined;
}

/** A recorded run and the job that will do it. */
export interface RunJob extends Pick<ScheduleRunValues, 'scheduleId' | 'callId' | 'traceParent'> {
  jobId: string;
  runId: string;
}

export interface ScheduleRunRepository extends JobRows {
  /** Fire times that have a run are passed over; returns how many runs were added. */
  add(runs: readonly ScheduleRunValues[]): Promise<number>;
  /** The run that is under way, or next, without the run itself. */
  findAhead(scheduleId: string, runId: string): Promise<RunAhead | undefined>;
  /** Notes that it begins and returns what is to be done, undefined when its schedule is gone; undefined when the run has ended. */
  begin(runId: string): Promise<{ job: ScheduleJob | undefined } | undefined>;
  /** Records a job for the oldest pending run of each schedule that has no job under way. Replicas never get the same. */
  claim(limit: number, newJobId: () => string): Promise<RunJob[]>;
  /** Ends a run that is still pending; false when it was not. */
  finish(runId: string, state: Exclude<RunState, 'pending'>, result: string): Promise<boolean>;
  /** Makes a run that died with its job pending again. */
  revive(runId: string): Promise<JobEffect[]>;
  /** Prunes ended runs, and dead ones whose dead letter is closed. */
  prune: Prune;
}
