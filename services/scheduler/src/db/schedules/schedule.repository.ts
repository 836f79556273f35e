import { pickColumns, runStatement, type EntityManager, type RowOf, type Statement } from '#libs/db';
import { ScheduleOverlapPolicy } from '#contract/scheduler/v1/scheduler';
import type { BuiltInSchedule } from '../../domain/schedules/built-in-schedules.ts';
import { neverRun, scheduleTable, type ScheduleValues } from '../../domain/schedules/schedule.columns.ts';
import type { DueSchedule } from '../../domain/schedules/tick.ts';
import type { Timing } from '../../domain/schedules/timing.ts';
import type { ScheduleRepository } from '../../domain/schedules/schedule.repository.ts';
import { insertRows, transactionTime } from '../insert-rows.ts';

const declareEnding = `
  on conflict (id) do update set description = excluded.description, job = excluded.job, interval_ms = excluded.interval_ms,
    cron = null, time_zone = null, built_in = true, catch_up_window_ms = excluded.catch_up_window_ms,
    next_fire_time = case
      when schedules.paused then null
      when schedules.interval_ms is distinct from excluded.interval_ms then excluded.next_fire_time
      else schedules.next_fire_time end`;

/** Of schedules s: changes with all that administrators and releases decide about. */
export const etagColumn = `
  '"' || left(md5(jsonb_build_array(s.description, s.job, s.cron, s.time_zone, s.interval_ms, s.overlap_policy, s.catch_up_window_ms,
    s.paused, extract(epoch from s.create_time))::text), 16) || '"' as etag`;

const timingTable = pickColumns(scheduleTable, 'cron', 'timeZone', 'intervalMs', 'createTime', 'builtIn', 'paused');
const lock: Statement = {
  name: 'lock_schedule',
  text: `select ${timingTable.select('s')}, ${etagColumn} from schedules s where s.id = $1 for update`,
};
type TimingRow = RowOf<typeof timingTable.columns>;

const dueTable = pickColumns(
  scheduleTable,
  'id',
  'cron',
  'timeZone',
  'intervalMs',
  'createTime',
  'overlapPolicy',
  'catchUpWindowMs',
  'nextFireTime',
);
/** Which schedules have a fire time that has come. */
export const dueSchedules = 'next_fire_time <= now()::timestamptz(3)';

const due: Statement = {
  name: 'due_schedules',
  text: `
    select ${dueTable.select('s')}, now()::timestamptz(3) as now,
      (select count(*) from schedule_runs r where r.schedule_id = s.id and r.state = 'pending')::int as unfinished
    from schedules s where ${dueSchedules} order by s.next_fire_time limit $1 for update of s skip locked`,
};
type DueRow = RowOf<typeof dueTable.columns> & { now: Date; unfinished: number };

const tickText =
  'update schedules set next_fire_time = $2, last_missed_time = greatest(last_missed_time, $3) where id = $1';
const pauseText = 'update schedules set paused = $2, next_fire_time = $3 where id = $1';
const resultText = 'update schedules set last_run_time = now(), last_result = $2, last_run_failed = $3 where id = $1';

type TimingValues = Pick<ScheduleValues, 'cron' | 'timeZone' | 'intervalMs' | 'createTime'>;

function toTiming({ cron, timeZone, intervalMs, createTime }: TimingValues): Timing {
  if (cron !== null) return { cron, timeZone: timeZone ?? 'UTC' };
  return { intervalMs: Number(intervalMs), anchor: createTime };
}

function toDue(row: DueRow): DueSchedule {
  const { now, unfinished } = row;
  const { id, overlapPolicy, catchUpWindowMs, nextFireTime, ...timing } = dueTable.toValues(row);
  return {
    id,
    timing: toTiming(timing),
    overlapPolicy,
    catchUpWindowMs: Number(catchUpWindowMs),
    nextFireTime: nextFireTime ?? now,
    unfinished,
    now,
  };
}

const minCatchUpWindowMs = 60_000;

function toBuiltIn({ intervalMs, ...schedule }: BuiltInSchedule, now: Date): ScheduleValues {
  return {
    ...schedule,
    cron: null,
    timeZone: null,
    intervalMs: BigInt(intervalMs),
    overlapPolicy: ScheduleOverlapPolicy.SKIP,
    catchUpWindowMs: BigInt(Math.max(minCatchUpWindowMs, 2 * intervalMs)),
    builtIn: true,
    creatorId: null,
    createTime: now,
    paused: false,
    nextFireTime: now,
    ...neverRun,
  };
}

export function createScheduleRepository(em: EntityManager): ScheduleRepository {
  return {
    now: () => transactionTime(em),
    declare: async (schedules) => {
      const declareTime = await transactionTime(em);
      const rows = schedules.map((schedule) => toBuiltIn(schedule, declareTime));
      await insertRows(em, scheduleTable, rows, declareEnding);
    },
    count: async () =>
      (await runStatement<{ count: number }>(em, 'select count(*)::int as count from schedules', []))[0]?.count ?? 0,
    add: async (schedule) =>
      (await insertRows(em, scheduleTable, [schedule], 'on conflict (id) do nothing returning 1')).length === 1,
    exists: async (scheduleId) =>
      (await runStatement(em, 'select 1 from schedules where id = $1', [scheduleId])).length === 1,
    lock: async (scheduleId) => {
      const [row] = await runStatement<TimingRow & { etag: string }>(em, lock, [scheduleId]);
      if (row === undefined) return undefined;
      const { builtIn, paused, ...timing } = timingTable.toValues(row);
      return { etag: row.etag, builtIn, paused, timing: toTiming(timing) };
    },
    setPaused: async (scheduleId, paused, nextFireTime) =>
      void (await runStatement(em, pauseText, [scheduleId, paused, nextFireTime ?? null])),
    remove: async (scheduleId) => {
      await runStatement(em, 'delete from schedule_runs where schedule_id = $1', [scheduleId]);
      await runStatement(em, 'delete from schedules where id = $1', [scheduleId]);
    },
    lockDue: async (limit) => (await runStatement<DueRow>(em, due, [limit])).map(toDue),
    recordTick: async (scheduleId, { missed, next }) =>
      void (await runStatement(em, tickText, [scheduleId, next ?? null, missed ?? null])),
    recordResult: async (scheduleId, { text, failed }) =>
      void (await runStatement(em, resultText, [scheduleId, text, failed])),
  };
}
