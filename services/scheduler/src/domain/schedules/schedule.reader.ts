import type { Schedule, ScheduleRun } from '#contract/scheduler/v1/scheduler';

/** Where a page of runs ended: the sort key of its last run. */
export type RunPosition = { plannedTime: string; id: string };

/** Schedules as they are recorded. */
export interface ScheduleReader {
  find(scheduleId: string): Promise<Schedule | undefined>;
  /** By id, those behind `after`. */
  list(after: string, limit: number): Promise<Schedule[]>;
  /** The latest planned time first; `next` is undefined at the end. */
  runs(
    scheduleId: string,
    after: RunPosition | undefined,
    limit: number,
  ): Promise<{ runs: ScheduleRun[]; next: RunPosition | undefined }>;
}
