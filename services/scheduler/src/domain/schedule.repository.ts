import { runStatement, type EntityManager } from '#libs/db';
import type { BuiltInSchedule, OverlapPolicy, SchedulableJob } from './schedule.entity.ts';
import type { DueSchedule, Tick } from './tick.ts';
import type { Timing } from './timing.ts';

/** A schedule that an administrator adds. */
export interface NewSchedule {
  id: string;
  description: string;
  job: SchedulableJob;
  cron: string | null;
  timeZone: string | null;
  intervalMs: number | null;
  overlapPolicy: OverlapPolicy;
  catchUpWindowMs: number;
  creatorId: string;
  createTime: Date;
  nextFireTime: Date | null;
}

/** Who asked for runs, and within which call. */
export interface RunOrigin {
  /** Null: nobody, the fire time came. */
  requestedBy: string | null;
  callId: string;
  traceParent: string;
}

/** What decides about pausing, deleting and backfilling a schedule. */
export interface LockedSchedule {
  builtIn: boolean;
  paused: boolean;
  timing: Timing;
}

export interface ScheduleRepository {
  /** Makes the table say what this release has; when replicas differ, the one that started last decides. */
  declare(schedules: BuiltInSchedule[]): Promise<void>;
  count(): Promise<number>;
  /** False when there is one with this id. */
  add(schedule: NewSchedule): Promise<boolean>;
  exists(scheduleId: string): Promise<boolean>;
  /** Undefined when there is none. Ticks wait for the lock. */
  lock(scheduleId: string): Promise<LockedSchedule | undefined>;
  /** The database's clock. */
  now(): Promise<Date>;
  setPaused(scheduleId: string, paused: boolean, nextFireTime: Date | undefined): Promise<void>;
  /** With its runs. */
  remove(scheduleId: string): Promise<void>;
  /** Those whose fire time has come, locked; replicas never get the same. */
  lockDue(limit: number): Promise<DueSchedule[]>;
  /** Records the runs of a tick and when the next is due. */
  recordTick(scheduleId: string, tick: Tick, newId: () => string): Promise<void>;
  /** Records a run for each fire time that has none; returns how many those were. */
  recordRuns(scheduleId: string, fireTimes: Date[], origin: RunOrigin, newId: () => string): Promise<number>;
  recordResult(scheduleId: string, result: { text: string; failed: boolean }): Promise<void>;
}

const declareText = `
  insert into schedules as old (id, description, job, interval_ms, overlap_policy, catch_up_window_ms, built_in, create_time, paused,
    next_fire_time, last_result, last_run_failed)
  values ($1, $2, $3, $4, 'skip', greatest(60000, 2 * $4::bigint), true, now(), false, now(), '', false)
  on conflict (id) do update set description = excluded.description, job = excluded.job, interval_ms = excluded.interval_ms,
    cron = null, time_zone = null, built_in = true, catch_up_window_ms = excluded.catch_up_window_ms,
    next_fire_time = case
      when old.paused then null
      when old.interval_ms is distinct from excluded.interval_ms then now()
      else old.next_fire_time end`;

const addText = `
  insert into schedules (id, description, job, cron, time_zone, interval_ms, overlap_policy, catch_up_window_ms, built_in, creator_id,
    create_time, paused, next_fire_time, last_result, last_run_failed)
  values ($1, $2, $3, $4, $5, $6, $7, $8, false, $9, $10, false, $11, '', false)
  on conflict (id) do nothing returning 1`;

const timingColumns = 's.cron, s.time_zone, s.interval_ms, s.create_time';
const lockText = `select s.built_in, s.paused, ${timingColumns} from schedules s where s.id = $1 for update`;

const dueText = `
  select s.id, s.job, ${timingColumns}, s.overlap_policy, s.catch_up_window_ms, s.next_fire_time, now()::timestamptz(3) as now,
    (select count(*) from schedule_runs r where r.schedule_id = s.id and r.state = 'pending')::int as unfinished
  from schedules s where s.next_fire_time <= now()::timestamptz(3) order by s.next_fire_time limit $1 for update of s skip locked`;

const addRunsText = `
  insert into schedule_runs (id, schedule_id, fire_time, planned_time, requested_by, call_id, trace_parent, state, result, create_time)
  select id, $1, fire_time, fire_time, $4::uuid, $5, $6, 'pending', '', now() from unnest($2::uuid[], $3::timestamptz[]) as run (id, fire_time)
  on conflict (schedule_id, fire_time) do nothing returning 1`;

const tickText = 'update schedules set next_fire_time = $2, last_missed_time = greatest(last_missed_time, $3) where id = $1';
const pauseText = 'update schedules set paused = $2, next_fire_time = $3 where id = $1';
const resultText = 'update schedules set last_run_time = now(), last_result = $2, last_run_failed = $3 where id = $1';

interface TimingRow {
  cron: string | null;
  time_zone: string | null;
  interval_ms: string | null;
  create_time: string;
}

interface DueRow extends TimingRow {
  id: string;
  job: string;
  overlap_policy: OverlapPolicy;
  catch_up_window_ms: string;
  next_fire_time: string;
  unfinished: number;
  now: string;
}

function toTiming(row: TimingRow): Timing {
  if (row.cron !== null) return { cron: row.cron, timeZone: row.time_zone ?? 'UTC' };
  return { intervalMs: Number(row.interval_ms), anchor: new Date(row.create_time) };
}

function toDue(row: DueRow): DueSchedule {
  return {
    id: row.id,
    job: row.job,
    timing: toTiming(row),
    overlapPolicy: row.overlap_policy,
    catchUpWindowMs: Number(row.catch_up_window_ms),
    nextFireTime: new Date(row.next_fire_time),
    unfinished: row.unfinished,
    now: new Date(row.now),
  };
}

const byItself: RunOrigin = { requestedBy: null, callId: '', traceParent: '' };

export function createScheduleRepository(em: EntityManager): ScheduleRepository {
  const recordRuns: ScheduleRepository['recordRuns'] = async (scheduleId, fireTimes, { requestedBy, callId, traceParent }, newId) => {
    if (fireTimes.length === 0) return 0;
    const ids = fireTimes.map(() => newId());
    return (await runStatement(em, addRunsText, [scheduleId, ids, fireTimes, requestedBy, callId, traceParent])).length;
  };
  return {
    recordRuns,
    declare: async (schedules) => {
      for (const { id, description, job, intervalMs } of schedules) await runStatement(em, declareText, [id, description, job, intervalMs]);
    },
    count: async () => (await runStatement<{ count: number }>(em, 'select count(*)::int as count from schedules', []))[0]?.count ?? 0,
    add: async ({ id, description, job, cron, timeZone, intervalMs, overlapPolicy, catchUpWindowMs, creatorId, createTime, nextFireTime }) => {
      const values = [id, description, job, cron, timeZone, intervalMs, overlapPolicy, catchUpWindowMs, creatorId, createTime, nextFireTime];
      return (await runStatement(em, addText, values)).length === 1;
    },
    exists: async (scheduleId) => (await runStatement(em, 'select 1 from schedules where id = $1', [scheduleId])).length === 1,
    lock: async (scheduleId) => {
      const [row] = await runStatement<TimingRow & { built_in: boolean; paused: boolean }>(em, lockText, [scheduleId]);
      return row && { builtIn: row.built_in, paused: row.paused, timing: toTiming(row) };
    },
    now: async () => new Date((await runStatement<{ now: string }>(em, 'select now()::timestamptz(3) as now', []))[0]?.now ?? Number.NaN),
    setPaused: async (scheduleId, paused, nextFireTime) => void (await runStatement(em, pauseText, [scheduleId, paused, nextFireTime ?? null])),
    remove: async (scheduleId) => {
      await runStatement(em, 'delete from schedule_runs where schedule_id = $1', [scheduleId]);
      await runStatement(em, 'delete from schedules where id = $1', [scheduleId]);
    },
    lockDue: async (limit) => (await runStatement<DueRow>(em, dueText, [limit])).map(toDue),
    recordTick: async (scheduleId, { runs, missed, next }, newId) => {
      await recordRuns(scheduleId, runs, byItself, newId);
      await runStatement(em, tickText, [scheduleId, next ?? null, missed ?? null]);
    },
    recordResult: async (scheduleId, { text, failed }) => void (await runStatement(em, resultText, [scheduleId, text, failed])),
  };
}
