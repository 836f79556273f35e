import type { PreviewScheduleResponse } from '#contract/scheduler/v1/scheduler';
import type { SchedulerDeps } from '../../deps.ts';
import { listFireTimes } from '../../domain/schedules/timing.ts';

export interface PreviewScheduleInput {
  cron: string | null;
  timeZone: string | null;
  intervalMs: bigint | null;
  startTime: Date | undefined;
  count: number;
}

export function previewSchedule(
  { clock }: Pick<SchedulerDeps, 'clock'>,
  input: PreviewScheduleInput,
): PreviewScheduleResponse {
  const { cron, timeZone, intervalMs, startTime = clock.now(), count } = input;
  const timing =
    cron === null ? { intervalMs: Number(intervalMs), anchor: startTime } : { cron, timeZone: timeZone ?? 'UTC' };
  return { fireTimes: listFireTimes(timing, startTime, count) };
}
