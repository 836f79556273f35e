import { pickColumns, runStatement, type EntityManager, type RowOf, type Statement, type Stored } from '#libs/db';
import { scheduleRunTable, scheduleTable } from '../../domain/schedules/schedule.columns.ts';
import type { ScheduleRunRepository } from '../../domain/schedules/schedule-run.repository.ts';
import { insertRows } from '../insert-rows.ts';
import { createJobRows, toPending } from '../jobs/job-rows.ts';
import { before, hasOpenDeadLetter, idBefore, prunes } from '../pruning.ts';

const aheadText = `
  select r.id, case when s.last_run_failed then s.last_result end as last_failure from schedule_runs r join schedules s on s.id = r.schedule_id
  where r.schedule_id = $1 and r.id <> $2 and r.state = 'pending' order by r.job_id is null, r.planned_time, r.id limit 1`;

const jobTable = pickColumns(scheduleTable, 'job');
const begin: Statement = {
  name: 'begin_run',
  text: `
    with begun as (
      update schedule_runs set start_time = clock_timestamp() where id = $1 and state = 'pending' returning schedule_id)
    select s.id is not null as known, ${jobTable.select('s')} from begun left join schedules s on s.id = begun.schedule_id`,
};
type BegunRow = RowOf<typeof jobTable.columns> & { known: boolean };

const isIdle = `not exists (select 1 from schedule_runs u where u.schedule_id = r.schedule_id and u.state = 'pending' and u.job_id is not null)`;

/** Which runs (r) wait for a job and may have one. */
export const waitingRuns = `r.state = 'pending' and r.job_id is null and ${isIdle}`;

// The transaction that gets the lock of a schedule sees the claims before it; others leave the schedule to the lock's holder.
const takeTurnsText = `
  select schedule_id from (select distinct r.schedule_id from schedule_runs r where ${waitingRuns}) s
  where pg_try_advisory_xact_lock(hashtextextended('schedule ' || schedule_id, 0))`;

// A run with a job keeps the others back, also older ones that were recorded later (a backfill, a late tick, a retry), and an
// older run keeps younger ones back: so they neither overlap nor overtake.
const claimedTable = pickColumns(scheduleRunTable, 'id', 'scheduleId', 'callId', 'traceParent');
const claimText = `
  select ${claimedTable.select('r')} from schedule_runs r
  where r.schedule_id = any ($2::text[]) and ${waitingRuns} and not exists (
    select 1 from schedule_runs o
    where o.schedule_id = r.schedule_id and o.state = 'pending' and (o.planned_time, o.id) < (r.planned_time, r.id))
  order by r.planned_time, r.id limit $1 for update of r skip locked`;

type ClaimedRow = Stored<typeof claimedTable.columns>;

const assignText = `
  update schedule_runs as r set job_id = job.id, enqueue_time = clock_timestamp()
  from unnest($1::uuid[], $2::text[]) as job (run_id, id) where r.id = job.run_id`;

const releaseText = `update schedule_runs set job_id = null, enqueue_time = null where job_id = any ($1::text[]) and state = 'pending' returning id`;
const finishText = `update schedule_runs set state = $2, result = $3, finish_time = now() where id = $1 and state = 'pending' returning id`;

// One half for each index.
const effectsText = `
  (select id, state, enqueue_time, call_id, finish_time, 0 as attempts from schedule_runs where job_id = $1 and state = 'pending' limit $2)
  union all
  (select id, state, enqueue_time, call_id, finish_time, 0 from schedule_runs where job_id = $1 and state <> 'pending' limit $2)`;

const reviveText = `
  update schedule_runs set state = 'pending', job_id = null, enqueue_time = null, result = '', finish_time = null
  where id = $1 and state = 'dead' returning id`;

// The row of a fire time keeps it from having two runs until its schedule has moved on.
const pruneText = `
  delete from schedule_runs where id = any (array(
    select x.id from schedule_runs x
    where x.id < ${idBefore('$1')} and x.state <> 'pending' and coalesce(x.finish_time, x.create_time) < ${before('$1')}
      and (x.state <> 'dead' or not ${hasOpenDeadLetter('schedules')})
      and not exists (select 1 from schedules s where s.id = x.schedule_id and s.next_fire_time <= x.fire_time)
    order by x.id limit $2 for update skip locked))
  returning 1`;

export function createScheduleRunRepository(em: EntityManager): ScheduleRunRepository {
  return {
    ...createJobRows(em, 'schedule-run', {
      table: 'schedule_runs',
      pending: "state = 'pending'",
      effects: effectsText,
    }),
    add: async (runs) =>
      (await insertRows(em, scheduleRunTable, runs, 'on conflict (schedule_id, fire_time) do nothing returning 1'))
        .length,
    findAhead: async (scheduleId, runId) => {
      const [row] = await runStatement<{ id: string; last_failure: string | null }>(em, aheadText, [scheduleId, runId]);
      return row && { runId: row.id, lastFailure: row.last_failure ?? undefined };
    },
    begin: async (runId) => {
      const [row] = await runStatement<BegunRow>(em, begin, [runId]);
      return row && { job: row.known ? jobTable.toValues(row).job : undefined };
    },
    claim: async (limit, newJobId) => {
      const turns = await runStatement<{ schedule_id: string }>(em, takeTurnsText, []);
      if (turns.length === 0) return [];
      const rows = await runStatement<ClaimedRow>(em, claimText, [limit, turns.map((turn) => turn.schedule_id)]);
      const jobs = rows.map(({ id: runId, ...run }) => ({ ...run, runId, jobId: newJobId() }));
      if (jobs.length > 0)
        await runStatement(em, assignText, [jobs.map((job) => job.runId), jobs.map((job) => job.jobId)]);
      return jobs;
    },
    release: async (jobIds) => (await runStatement(em, releaseText, [jobIds])).length,
    finish: async (runId, state, result) => (await runStatement(em, finishText, [runId, state, result])).length === 1,
    revive: async (runId) => toPending('schedule-run', await runStatement<{ id: string }>(em, reviveText, [runId])),
    prune: prunes(em, pruneText),
  };
}
