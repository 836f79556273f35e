import type { PreviewScheduleResponse } from '#contract/scheduler/v1/scheduler';
import { listFireTimes } from '../domain/timing.ts';

export interface PreviewScheduleInput {
  cron: string | null;
  timeZone: string | null;
  intervalMs: number | null;
  startTime: Date | undefined;
  count: number;
}

export function previewSchedule({ cron, timeZone, intervalMs, startTime = new Date(), count }: PreviewScheduleInput): PreviewScheduleResponse {
  const timing = cron === null ? { intervalMs: intervalMs ?? 0, anchor: startTime } : { cron, timeZone: timeZone ?? 'UTC' };
  return { fireTimes: listFireTimes(timing, startTime, count) };
}
