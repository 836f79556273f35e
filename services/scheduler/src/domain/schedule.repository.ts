import { runStatement, type EntityManager } from '#libs/db';
import type { RunState, ScheduleDefinition } from './schedule.entity.ts';

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

/** What a run came to. */
export interface RunResult {
  /** For people: "marked 3", or the error. */
  text: string;
  failed: boolean;
}

export interface ScheduleRepository {
  /** Makes the table say what this release has; when replicas differ, the one that started last decides. */
  declare(schedules: ScheduleDefinition[]): Promise<void>;
  exists(scheduleId: string): Promise<boolean>;
  recordResult(scheduleId: string, result: RunResult): Promise<void>;
  addRun(run: NewScheduleRun): Promise<void>;
  /** Locks the run when it is still to be done; false when it has ended. */
  lockPendingRun(runId: string): Promise<boolean>;
  /** Records a job for each pending run that has none. */
  claimRuns(limit: number, newJobId: () => string): Promise<RunJob[]>;
  /** The jobs are lost: those of their runs that are still pending may be claimed again; returns how many. */
  releaseRuns(jobIds: string[]): Promise<number>;
  finishRun(runId: string, state: Exclude<RunState, 'pending'>, result: string): Promise<void>;
}

const declareText = `
  insert into schedules (id, description, interval_ms, last_result, last_run_failed) values ($1, $2, $3, '', false)
  on conflict (id) do update set description = excluded.description, interval_ms = excluded.interval_ms`;

const addRunText = `
  insert into schedule_runs (id, schedule_id, requested_by, call_id, trace_parent, state, result, create_time)
  values ($1, $2, $3, $4, $5, 'pending', '', now())`;

const claimText = `
  select id, schedule_id, call_id, trace_parent from schedule_runs
  where state = 'pending' and job_id is null order by id limit $1 for update skip locked`;

const assignText = `
  update schedule_runs as r set job_id = job.id, enqueue_time = clock_timestamp()
  from unnest($1::uuid[], $2::text[]) as job (run_id, id) where r.id = job.run_id`;

const resultText = 'update schedules set last_run_time = now(), last_result = $2, last_run_failed = $3 where id = $1';
const releaseText = `update schedule_runs set job_id = null, enqueue_time = null where job_id = any ($1::text[]) and state = 'pending' returning id`;
const finishText = `update schedule_runs set state = $2, result = $3, finish_time = now() where id = $1 and state = 'pending'`;

interface ClaimedRow {
  id: string;
  schedule_id: string;
  call_id: string;
  trace_parent: string;
}

export function createScheduleRepository(em: EntityManager): ScheduleRepository {
  return {
    declare: async (schedules) => {
      for (const { id, description, intervalMs } of schedules) await runStatement(em, declareText, [id, description, intervalMs]);
    },
    exists: async (scheduleId) => (await runStatement(em, 'select 1 from schedules where id = $1', [scheduleId])).length === 1,
    recordResult: async (scheduleId, { text, failed }) => void (await runStatement(em, resultText, [scheduleId, text, failed])),
    addRun: async (run) =>
      void (await runStatement(em, addRunText, [run.id, run.scheduleId, run.requestedBy, run.callId, run.traceParent])),
    lockPendingRun: async (runId) =>
      (await runStatement(em, `select 1 from schedule_runs where id = $1 and state = 'pending' for update`, [runId])).length === 1,
    claimRuns: async (limit, newJobId) => {
      const rows = await runStatement<ClaimedRow>(em, claimText, [limit]);
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
    releaseRuns: async (jobIds) => (await runStatement(em, releaseText, [jobIds])).length,
    finishRun: async (runId, state, result) => void (await runStatement(em, finishText, [runId, state, result])),
  };
}
