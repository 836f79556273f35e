import { Schedule, ScheduleRun, ScheduleRunState } from '#contract/scheduler/v1/scheduler';
import { defineMessage, type RowOf, type SqlReader, type Statement } from '#libs/db';
import { toDuration } from '#libs/runtime';
import {
  scheduleRunTable,
  scheduleTable,
  type ScheduleRunValues,
  type ScheduleValues,
} from '../../domain/schedules/schedule.columns.ts';
import type { ScheduleReader } from '../../domain/schedules/schedule.reader.ts';
import { etagColumn } from './schedule.repository.ts';

const columns = `${scheduleTable.select('s')}, ${etagColumn}`;
const one: Statement = { name: 'schedule', text: `select ${columns} from schedules s where s.id = $1` };
const page: Statement = {
  name: 'schedules',
  text: `select ${columns} from schedules s where s.id > $1 order by s.id limit $2`,
};

const runColumns = scheduleRunTable.select();
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

type ScheduleRow = RowOf<typeof scheduleTable.columns> & { etag: string };

function toRecurrence({ cron, timeZone, intervalMs }: ScheduleValues): Schedule['recurrence'] {
  if (cron !== null) return { $case: 'cron', value: { expression: cron, timeZone: timeZone ?? 'UTC' } };
  return { $case: 'interval', value: toDuration(Number(intervalMs)) };
}

const toMessage = defineMessage<Schedule, { etag: string }>(Schedule.fromPartial({}))(scheduleTable, {
  recurrence: toRecurrence,
  catchUpWindow: ({ catchUpWindowMs }) => toDuration(Number(catchUpWindowMs)),
  nextRunTime: ({ nextFireTime }) => nextFireTime ?? undefined,
  etag: (_, { etag }) => etag,
});
const toSchedule = (row: ScheduleRow): Schedule => toMessage(scheduleTable.toValues(row), row);

function stateOf({ state, startTime }: ScheduleRunValues): ScheduleRunState {
  if (state === 'pending') return startTime === null ? ScheduleRunState.PENDING : ScheduleRunState.RUNNING;
  return state === 'done' ? ScheduleRunState.SUCCEEDED : ScheduleRunState.DEAD;
}

const toRun = defineMessage<ScheduleRun, void>(ScheduleRun.fromPartial({}))(scheduleRunTable, { state: stateOf });

type RunRow = RowOf<typeof scheduleRunTable.columns>;

export function createScheduleReader(reader: SqlReader): ScheduleReader {
  return {
    find: async (scheduleId) => (await reader.query<ScheduleRow>(one, [scheduleId])).map(toSchedule)[0],
    list: async (after, limit) => (await reader.query<ScheduleRow>(page, [after, limit])).map(toSchedule),
    runs: async (scheduleId, after, limit) => {
      // One more than the page size shows whether another page follows.
      const rows = await (after === undefined
        ? reader.query<RunRow>(firstRuns, [scheduleId, limit + 1])
        : reader.query<RunRow>(nextRuns, [scheduleId, limit + 1, after.plannedTime, after.id]));
      const runs = rows.slice(0, limit).map((row) => scheduleRunTable.toValues(row));
      const last = rows.length > limit ? runs.at(-1) : undefined;
      return {
        runs: runs.map((run) => toRun(run)),
        next: last && { plannedTime: last.plannedTime.toISOString(), id: last.id },
      };
    },
  };
}
