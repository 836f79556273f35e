import { runStatement, type EntityManager } from '#libs/db';
import type { JobEffect, JobRows, RecordedEffect } from '../../domain/jobs/job-rows.ts';

/** As many rows as one job can have, and some more. */
const maxEffects = 1_000;

interface EffectRow {
  id: string;
  state: string;
  enqueue_time: Date | string | null;
  finish_time: Date | string | null;
  call_id: string;
  attempts: number;
}

const toDate = (time: Date | string | null): Date | undefined => (time === null ? undefined : new Date(time));

const toEffect = (kind: string, { id, state, attempts, ...row }: EffectRow): RecordedEffect => ({
  kind,
  id,
  state,
  attempts,
  callId: row.call_id,
  enqueueTime: toDate(row.enqueue_time),
  finishTime: toDate(row.finish_time),
});

export const toPending = (kind: string, rows: readonly { id: string }[]): JobEffect[] =>
  rows.map(({ id }) => ({ kind, id, state: 'pending' }));

/** Where the rows of a kind of job are; the texts are SQL. */
interface JobTable {
  table: string;
  /** Which rows wait for their job. */
  pending: string;
  /** $1 the job's id, $2 how many rows at most; rows as EffectRow. Undefined: what the job did is recorded elsewhere. */
  effects?: string;
}

/** The part of JobRows that is the same for every table with `job_id` and `enqueue_time`. */
export function createJobRows(
  em: EntityManager,
  kind: string,
  { table, pending, effects }: JobTable,
): Pick<JobRows, 'expectedJobs' | 'effectsOf'> {
  // A job appears in Redis only after its id was committed; five seconds are ample for that.
  const expectedText = `
    select distinct job_id from ${table}
    where ${pending} and job_id > $1 and enqueue_time < now() - interval '5 seconds' order by job_id limit $2`;
  return {
    expectedJobs: async (after, limit) =>
      (await runStatement<{ job_id: string }>(em, expectedText, [after, limit])).map((row) => row.job_id),
    effectsOf: async (jobId) =>
      effects === undefined
        ? []
        : (await runStatement<EffectRow>(em, effects, [jobId, maxEffects])).map((row) => toEffect(kind, row)),
  };
}
