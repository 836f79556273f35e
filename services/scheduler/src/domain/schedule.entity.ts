import { defineEntity, p } from '@mikro-orm/core';

/** Work that repeats. */
export interface ScheduleDefinition {
  id: string;
  description: string;
  intervalMs: number;
}

export const overdueSweepId = 'overdue-sweep';

/** The schedules of this cluster; a new one also needs its work in `run-schedule.ts`. */
export function defineSchedules(settings: { sweepIntervalMs: number }): ScheduleDefinition[] {
  return [{ id: overdueSweepId, description: 'Finds tasks that are past their due time.', intervalMs: settings.sweepIntervalMs }];
}

export const ScheduleSchema = defineEntity({
  name: 'Schedule',
  tableName: 'schedules',
  properties: {
    id: p.text().primary(),
    description: p.text(),
    intervalMs: p.integer(),
    lastRunTime: p.datetime(3).nullable(),
    lastResult: p.text(),
    lastRunFailed: p.boolean(),
  },
});

/** pending: to be run by a job. done: it worked. dead: its job died. */
export type RunState = 'pending' | 'done' | 'dead';

/** A run that somebody asked for. */
export const ScheduleRunSchema = defineEntity({
  name: 'ScheduleRun',
  tableName: 'schedule_runs',
  properties: {
    id: p.uuid().primary(),
    scheduleId: p.text(),
    requestedBy: p.uuid(),
    callId: p.text(),
    traceParent: p.text(),
    state: p.text(),
    jobId: p.text().nullable(),
    enqueueTime: p.datetime(3).nullable(),
    /** What it came to, or why it died. */
    result: p.text(),
    createTime: p.datetime(3),
    finishTime: p.datetime(3).nullable(),
  },
  indexes: [{ name: 'schedule_runs_pending', properties: ['jobId', 'id'], where: "state = 'pending'" }],
});
