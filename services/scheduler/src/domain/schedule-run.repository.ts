import { runStatement, type EntityManager } from '#libs/db';
import type { RunState } from './schedule.entity.ts';

/** A run that somebody asks for. */
export interface NewScheduleRun {
  id: string;
  scheduleId: string;
  requestedBy: string;
  callId: string;
  traceParent: string;
}

/** A recorded run and the job that will do it. */
export interface RunJob {
  jobId: string;
  runId: string;
  scheduleId: string;
  callId: string;
  traceParent: string;
}

export interface ScheduleRunRepository {
  add(run: NewScheduleRun): Promise<void>;
  /** Notes that it begins and says what is to be done, null when its schedule is gone; undefined when it has ended. */
  begin(runId: string): Promise<{ job: string | null } | undefined>;
  /** Records a job for the oldest pending run of each schedule that has no job under way. Replicas never get the same. */
  claim(limit: number, newJobId: () => string): Promise<RunJob[]>;
  /** The jobs are lost: those of their runs that are still pending may be claimed again; returns how many. */
  release(jobIds: string[]): Promise<number>;
  /** Ends a run that is still pending; false when it was not. */
  finish(runId: string, state: Exclude<RunState, 'pending'>, result: string): Promise<boolean>;
}

const addText = `
  insert into schedule_runs (id, schedule_id, planned_time, requested_by, call_id, trace_parent, state, result, create_time)
  values ($1, $2, now(), $3, $4, $5, 'pending', '', now())`;

const beginText = `
  update schedule_runs r set start_time = clock_timestamp() where r.id = $1 and r.state = 'pending'
  returning (select s.job from schedules s where s.id = r.schedule_id) as job`;

const isIdle = `not exists (select 1 from schedule_runs u where u.schedule_id = r.schedule_id and u.state = 'pending' and u.job_id is not null)`;

// Whoever has the turn of a schedule sees what others claimed before; those that do not get it leave the schedule to its holder.
const takeTurnsText = `
  select schedule_id from (select distinct r.schedule_id from schedule_runs r where r.state = 'pending' and r.job_id is null and ${isIdle}) s
  where pg_try_advisory_xact_lock(hashtextextended('schedule ' || schedule_id, 0))`;

// A run with a job keeps the others back, also older ones that were recorded later (a backfill, a late tick, a retry), and an
// older run keeps younger ones back: so they neither overlap nor overtake.
const claimText = `
  select r.id, r.schedule_id, r.call_id, r.trace_parent from schedule_runs r
  where r.schedule_id = any ($2::text[]) and r.state = 'pending' and r.job_id is null and ${isIdle} and not exists (
    select 1 from schedule_runs o
    where o.schedule_id = r.schedule_id and o.state = 'pending' and (o.planned_time, o.id) < (r.planned_time, r.id))
  order by r.planned_time, r.id limit $1 for update of r skip locked`;

const assignText = `
  update schedule_runs as r set job_id = job.id, enqueue_time = clock_timestamp()
  from unnest($1::uuid[], $2::text[]) as job (run_id, id) where r.id = job.run_id`;

const releaseText = `update schedule_runs set job_id = null, enqueue_time = null where job_id = any ($1::text[]) and state = 'pending' returning id`;
const finishText = `update schedule_runs set state = $2, result = $3, finish_time = now() where id = $1 and state = 'pending' returning id`;

interface ClaimedRow {
  id: string;
  schedule_id: string;
  call_id: string;
  trace_parent: string;
}

export function createScheduleRunRepository(em: EntityManager): ScheduleRunRepository {
  return {
    add: async ({ id, scheduleId, requestedBy, callId, traceParent }) =>
      void (await runStatement(em, addText, [id, scheduleId, requestedBy, callId, traceParent])),
    begin: async (runId) => (await runStatement<{ job: string | null }>(em, beginText, [runId]))[0],
    claim: async (limit, newJobId) => {
      const turns = await runStatement<{ schedule_id: string }>(em, takeTurnsText, []);
      if (turns.length === 0) return [];
      const rows = await runStatement<ClaimedRow>(em, claimText, [limit, turns.map((turn) => turn.schedule_id)]);
      const jobs = rows.map((row) => ({
        jobId: newJobId(),
        runId: row.id,
        scheduleId: row.schedule_id,
        callId: row.call_id,
        traceParent: row.trace_parent,
      }));
      if (jobs.length > 0) await runStatement(em, assignText, [jobs.map((job) => job.runId), jobs.map((job) => job.jobId)]);
      return jobs;
    },
    release: async (jobIds) => (await runStatement(em, releaseText, [jobIds])).length,
    finish: async (runId, state, result) => (await runStatement(em, finishText, [runId, state, result])).length === 1,
  };
}
