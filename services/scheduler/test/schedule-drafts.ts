import { randomUUID } from 'node:crypto';
import { Schedule, ScheduleJob } from '#contract/scheduler/v1/scheduler';
import type { TestUser } from './start-cluster.ts';
import type { TestScheduler } from './start-scheduler.ts';

export const cron = (expression: string, timeZone = '') => ({
  recurrence: { $case: 'cron' as const, value: { expression, timeZone } },
});
export const interval = (seconds: bigint, nanos = 0) => ({
  recurrence: { $case: 'interval' as const, value: { seconds, nanos } },
});
export const newId = (): string => `s-${randomUUID()}`;

/** A schedule for a request; by default it prunes on weekday mornings. */
export const draftOf = (fields: Partial<Schedule> = {}) =>
  Schedule.fromPartial({
    id: newId(),
    job: ScheduleJob.PRUNE_RECORDS,
    ...cron('30 9 * * MON-FRI', 'Europe/Berlin'),
    ...fields,
  });

/** Creates and reads schedules as this administrator. */
export function schedulesOf({ scheduler }: TestScheduler, { as }: TestUser) {
  return {
    create: async (fields: Partial<Schedule> = {}, extras = {}): Promise<Schedule> => {
      const { schedule } = await scheduler.createSchedule({ schedule: draftOf(fields), ...extras }, as);
      if (schedule === undefined) throw new Error('the answer has no schedule');
      return schedule;
    },
    get: async (scheduleId: string) => (await scheduler.getSchedule({ scheduleId }, as)).schedule,
  };
}
