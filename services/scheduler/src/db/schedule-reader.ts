import { ScheduleRunState, type Schedule, type ScheduleRun } from '#contract/scheduler/v1/scheduler';
import type { SqlReader, Statement } from '#libs/db';
import type { RunPosition, ScheduleReader } from '../deps.ts';
import { toDuration } from '../domain/duration.ts';
import { toOverlapPolicyMessage } from '../domain/overlap-policy.ts';
import type { OverlapPolicy, RunState } from '../domain/schedule.entity.ts';

const columns = `
  id, description, job, cron, time_zone, interval_ms, overlap_policy, catch_up_window_ms, built_in, creator_id, create_time, paused,
  next_fire_time, last_missed_time, last_run_time, last_result, last_run_failed`;

const one: Statement = { name: 'schedule', text: `select ${columns} from schedules where id = $1` };
const page: Statement = { name: 'schedules', text: `select ${columns} from schedules where id > $1 order by id limit $2` };

const runColumns = 'id, schedule_id, fire_time, planned_time, requested_by, state, result, create_time, start_time, finish_time';
const firstRuns: Statement = {
  name: 'schedule_runs_first_page',
  text: `select ${runColumns} from schedule_runs where schedule_id = $1 order by planned_time desc, id desc limit $2`,
};
const nextRuns: Statement = {
  name: 'schedule_runs_next_page',
  text: `
    select ${runColumns} from schedule_runs where schedule_id = $1 and (planned_time, id) < ($3::timestamptz, $4::uuid)
    order by planned_time desc, id desc limit $2`,
};

interface ScheduleRow {
  id: string;
  description: string;
  job: string;
  cron: string | null;
  time_zone: string | null;
  interval_ms: bigint | null;
  overlap_policy: OverlapPolicy;
  catch_up_window_ms: bigint;
  built_in: boolean;
  creator_id: string | null;
  create_time: Date;
  paused: boolean;
  next_fire_time: Date | null;
  last_missed_time: Date | null;
  last_run_time: Date | null;
  last_result: string;
  last_run_failed: boolean;
}

interface RunRow {
  id: string;
  schedule_id: string;
  fire_time: Date | null;
  planned_time: Date;
  requested_by: string | null;
  state: RunState;
  result: string;
  create_time: Date;
  start_time: Date | null;
  finish_time: Date | null;
}

function toSchedule(row: ScheduleRow): Schedule {
  return {
    id: row.id,
    description: row.description,
    job: row.job,
    cron: row.cron ?? '',
    timeZone: row.time_zone ?? '',
    interval: row.interval_ms === null ? undefined : toDuration(Number(row.interval_ms)),
    overlapPolicy: toOverlapPolicyMessage(row.overlap_policy),
    catchUpWindow: toDuration(Number(row.catch_up_window_ms)),
    builtIn: row.built_in,
    creatorId: row.creator_id ?? '',
    createTime: row.create_time,
    paused: row.paused,
    nextRunTime: row.next_fire_time ?? undefined,
    lastMissedTime: row.last_missed_time ?? undefined,
    lastRunTime: row.last_run_time ?? undefined,
    lastResult: row.last_result,
    lastRunFailed: row.last_run_failed,
  };
}

function stateOf({ state, start_time: startTime }: RunRow): ScheduleRunState {
  if (state === 'pending') return startTime === null ? ScheduleRunState.PENDING : ScheduleRunState.RUNNING;
  return state === 'done' ? ScheduleRunState.SUCCEEDED : ScheduleRunState.DEAD;
}

function toRun(row: RunRow): ScheduleRun {
  return {
    id: row.id,
    scheduleId: row.schedule_id,
    fireTime: row.fire_time ?? undefined,
    requesterId: row.requested_by ?? '',
    state: stateOf(row),
    result: row.result,
    createTime: row.create_time,
    startTime: row.start_time ?? undefined,
    endTime: row.finish_time ?? undefined,
  };
}

function positionOf(row: RunRow | undefined): RunPosition | undefined {
  return row && { plannedTime: row.planned_time.toISOString(), id: row.id };
}

export function createScheduleReader(reader: SqlReader): ScheduleReader {
  return {
    find: async (scheduleId) => (await reader.query<ScheduleRow>(one, [scheduleId])).map(toSchedule)[0],
    list: async (after, limit) => (await reader.query<ScheduleRow>(page, [after, limit])).map(toSchedule),
    runs: async (scheduleId, after, limit) => {
      // One more than asked for tells whether another page follows.
      const rows = await (after === undefined
        ? reader.query<RunRow>(firstRuns, [scheduleId, limit + 1])
        : reader.query<RunRow>(nextRuns, [scheduleId, limit + 1, after.plannedTime, after.id]));
      const runs = rows.slice(0, limit);
      return { runs: runs.map(toRun), next: rows.length > limit ? positionOf(runs.at(-1)) : undefined };
    },
  };
}
