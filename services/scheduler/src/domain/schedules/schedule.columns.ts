import { ScheduleJob, ScheduleOverlapPolicy } from '#contract/scheduler/v1/scheduler';
import { column, defineColumns, defineEntityOf, type Stored } from '#libs/db';

/** Everything that is stored of a schedule. A column that is not internal is the field of its name in the message. */
export const scheduleTable = defineColumns('schedules', {
  id: column.text().primary(),
  description: column.text(),
  job: column.codedText<ScheduleJob>(
    { 'sweep-overdue': ScheduleJob.SWEEP_OVERDUE, 'prune-records': ScheduleJob.PRUNE_RECORDS },
    ScheduleJob.UNRECOGNIZED,
  ),
  /** Either this with the zone, or an interval counted from the creation. */
  cron: column.text().nullable().internal(),
  timeZone: column.text().nullable().internal(),
  intervalMs: column.bigint().nullable().internal(),
  /** What happens to fire times that come while a run of the schedule has not ended; see the contract. */
  overlapPolicy: column.codedText<ScheduleOverlapPolicy>(
    {
      skip: ScheduleOverlapPolicy.SKIP,
      'buffer-one': ScheduleOverlapPolicy.BUFFER_ONE,
      'buffer-all': ScheduleOverlapPolicy.BUFFER_ALL,
    },
    ScheduleOverlapPolicy.UNRECOGNIZED,
  ),
  catchUpWindowMs: column.bigint().internal(),
  builtIn: column.boolean(),
  creatorId: column.uuid().nullable(),
  createTime: column.time(),
  paused: column.boolean(),
  /** Null while paused, and when there is none any more. */
  nextFireTime: column.time().nullable().internal(),
  /** The latest fire time that got no run. */
  lastMissedTime: column.time().nullable(),
  lastRunTime: column.time().nullable(),
  lastResult: column.text(),
  lastRunFailed: column.boolean(),
});
export type ScheduleValues = Stored<typeof scheduleTable.columns>;

/** The part of a new schedule that its runs change later. */
export const neverRun = { lastMissedTime: null, lastRunTime: null, lastResult: '', lastRunFailed: false } as const;

export const ScheduleSchema = defineEntityOf(scheduleTable, {
  name: 'Schedule',
  indexes: [{ name: 'schedules_due', properties: ['nextFireTime'], where: 'next_fire_time is not null' }],
});

/** pending: a job runs it. done: it succeeded. dead: its job died. */
export type RunState = 'pending' | 'done' | 'dead';

/** One run of a schedule, because its fire time came or an administrator asked for it: once now, or for a past fire time. */
export const scheduleRunTable = defineColumns('schedule_runs', {
  id: column.uuid().primary(),
  scheduleId: column.text(),
  /** Null when an administrator asked for a run now. */
  fireTime: column.time().nullable(),
  /** The runs of one schedule happen in this order: the fire time, or when the run was asked for. */
  plannedTime: column.time().internal(),
  requesterId: column.uuid().nullable().named('requested_by'),
  callId: column.text().internal(),
  traceParent: column.text().internal(),
  state: column.text<RunState>().internal(),
  jobId: column.text().nullable().internal(),
  enqueueTime: column.time().nullable().internal(),
  startTime: column.time().nullable(),
  /** What the run achieved, or why it died. */
  result: column.text(),
  createTime: column.time(),
  endTime: column.time().nullable().named('finish_time'),
});
export type ScheduleRunValues = Stored<typeof scheduleRunTable.columns>;

export const ScheduleRunSchema = defineEntityOf(scheduleRunTable, {
  name: 'ScheduleRun',
  // One run for each fire time, also when several replicas record it.
  uniques: [{ name: 'schedule_runs_fire_time', properties: ['scheduleId', 'fireTime'] }],
  indexes: [
    { name: 'schedule_runs_pending', properties: ['jobId', 'id'], where: "state = 'pending'" },
    { name: 'schedule_runs_unfinished', properties: ['scheduleId', 'plannedTime', 'id'], where: "state = 'pending'" },
    { name: 'schedule_runs_history', properties: ['scheduleId', 'plannedTime', 'id'] },
    { name: 'schedule_runs_job', properties: ['jobId'], where: "state <> 'pending'" },
  ],
});

/** Who asked for runs, within which call, and when by the database's clock. */
export interface RunOrigin {
  /** Null: nobody, the fire time came. */
  requesterId: string | null;
  callId: string;
  traceParent: string;
  now: Date;
}

/** A run for a fire time, or for now when that is null. */
export function newRun(ids: { id: string; scheduleId: string }, fireTime: Date | null, origin: RunOrigin) {
  const { now, ...who } = origin;
  return {
    ...ids,
    ...who,
    fireTime,
    plannedTime: fireTime ?? now,
    state: 'pending',
    jobId: null,
    enqueueTime: null,
    startTime: null,
    result: '',
    createTime: now,
    endTime: null,
  } satisfies ScheduleRunValues;
}
