import { defineEntity, p } from '@mikro-orm/core';

/** What schedules may run. */
export const schedulableJobs = ['sweep-overdue', 'prune-records'] as const;
export type SchedulableJob = (typeof schedulableJobs)[number];

/** What becomes of fire times that come while a run of the schedule has not ended; see the contract. */
export const overlapPolicies = ['skip', 'buffer-one', 'buffer-all'] as const;
export type OverlapPolicy = (typeof overlapPolicies)[number];

/** A schedule that comes with the release. */
export interface BuiltInSchedule {
  id: string;
  description: string;
  job: SchedulableJob;
  intervalMs: number;
}

const pruneIntervalMs = 300_000;

/** The schedule that finds overdue tasks. */
export const overdueSweepId = 'overdue-sweep';

/** The built-in schedules of this cluster. */
export function defineSchedules(settings: { sweepIntervalMs: number }): BuiltInSchedule[] {
  return [
    { id: overdueSweepId, description: 'Finds tasks that are past their due time.', job: 'sweep-overdue', intervalMs: settings.sweepIntervalMs },
    { id: 'pruning', description: 'Forgets records whose time is over.', job: 'prune-records', intervalMs: pruneIntervalMs },
  ];
}

export const ScheduleSchema = defineEntity({
  name: 'Schedule',
  tableName: 'schedules',
  properties: {
    id: p.text().primary(),
    description: p.text(),
    job: p.text(),
    /** Either this with the zone, or an interval counted from the creation. */
    cron: p.text().nullable(),
    timeZone: p.text().nullable(),
    intervalMs: p.bigint().nullable(),
    overlapPolicy: p.text(),
    catchUpWindowMs: p.bigint(),
    builtIn: p.boolean(),
    creatorId: p.uuid().nullable(),
    createTime: p.datetime(3),
    paused: p.boolean(),
    /** Null while paused, and when there is none any more. */
    nextFireTime: p.datetime(3).nullable(),
    /** The latest fire time that got no run. */
    lastMissedTime: p.datetime(3).nullable(),
    lastRunTime: p.datetime(3).nullable(),
    lastResult: p.text(),
    lastRunFailed: p.boolean(),
  },
  indexes: [{ name: 'schedules_due', properties: ['nextFireTime'], where: 'next_fire_time is not null' }],
});

/** pending: to be run by a job. done: it worked. dead: its job died. */
export type RunState = 'pending' | 'done' | 'dead';

/** One run of a schedule, because its fire time came or because somebody asked for it: once now, or for a fire time of the past. */
export const ScheduleRunSchema = defineEntity({
  name: 'ScheduleRun',
  tableName: 'schedule_runs',
  properties: {
    id: p.uuid().primary(),
    scheduleId: p.text(),
    /** Null when somebody asked for a run now. */
    fireTime: p.datetime(3).nullable(),
    /** The runs of one schedule happen in this order: the fire time, or when it was asked for. */
    plannedTime: p.datetime(3),
    requestedBy: p.uuid().nullable(),
    callId: p.text(),
    traceParent: p.text(),
    state: p.text(),
    jobId: p.text().nullable(),
    enqueueTime: p.datetime(3).nullable(),
    startTime: p.datetime(3).nullable(),
    /** What it came to, or why it died. */
    result: p.text(),
    createTime: p.datetime(3),
    finishTime: p.datetime(3).nullable(),
  },
  // One run for each fire time, whatever replicas do.
  uniques: [{ name: 'schedule_runs_fire_time', properties: ['scheduleId', 'fireTime'] }],
  indexes: [
    { name: 'schedule_runs_pending', properties: ['jobId', 'id'], where: "state = 'pending'" },
    { name: 'schedule_runs_unfinished', properties: ['scheduleId', 'plannedTime', 'id'], where: "state = 'pending'" },
    { name: 'schedule_runs_history', properties: ['scheduleId', 'plannedTime', 'id'] },
    { name: 'schedule_runs_job', properties: ['jobId'], where: "state <> 'pending'" },
  ],
});
