import type { GetScheduleResponse } from '#contract/scheduler/v1/scheduler';
import type { SchedulerDeps } from '../../deps.ts';
import { scheduleNotFound } from '../../domain/schedules/schedule.errors.ts';

export async function getSchedule(
  { readSchedules }: Pick<SchedulerDeps, 'readSchedules'>,
  scheduleId: string,
): Promise<GetScheduleResponse> {
  const schedule = await readSchedules.find(scheduleId);
  if (schedule === undefined) throw scheduleNotFound(scheduleId);
  return { schedule };
}
