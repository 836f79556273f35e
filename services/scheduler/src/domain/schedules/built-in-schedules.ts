import { ScheduleJob } from '#contract/scheduler/v1/scheduler';

/** A schedule that comes with the release. */
export interface BuiltInSchedule {
  id: string;
  description: string;
  job: ScheduleJob;
  intervalMs: number;
}

const pruneIntervalMs = 300_000;

/** The schedule that finds overdue tasks. */
export const overdueSweepId = 'overdue-sweep';

/** The built-in schedules of this cluster. */
export function defineSchedules(settings: { sweepIntervalMs: number }): BuiltInSchedule[] {
  return [
    {
      id: overdueSweepId,
      description: 'Finds tasks that are past their due time.',
      job: ScheduleJob.SWEEP_OVERDUE,
      intervalMs: settings.sweepIntervalMs,
    },
    {
      id: 'pruning',
      description: 'Forgets records whose time is over.',
      job: ScheduleJob.PRUNE_RECORDS,
      intervalMs: pruneIntervalMs,
    },
  ];
}
