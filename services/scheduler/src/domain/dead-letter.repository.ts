import { runStatement, type EntityManager } from '#libs/db';
import type { DeadLetterState } from './dead-letter.entity.ts';

export interface JobFailure {
  time: Date;
  attempt: number;
  error: string;
}

export interface DeadLetter {
  id: string;
  queue: string;
  name: string;
  jobId: string;
  payload: unknown;
  error: string;
  attempts: number;
  callId: string;
  failures: JobFailure[];
}

/** A dead letter and what has been decided about it. */
export interface FiledLetter extends DeadLetter {
  state: DeadLetterState;
  createTime: Date;
  settleTime: Date | undefined;
  /** '' = nobody. */
  settledBy: string;
}

export interface DeadLetterRepository {
  /** A job that is there already is not added again. */
  add(letter: DeadLetter): Promise<void>;
  /** Locks an open one and notes the decision; undefined when there is none or it was settled before. */
  settle(id: string, state: Exclude<DeadLetterState, 'open'>, actorId: string): Promise<FiledLetter | undefined>;
  exists(id: string): Promise<boolean>;
}

/** As text, since the roads to the database read times and JSON in different ways. */
export const letterColumns = `
  id, queue, name, job_id, payload::text as payload, error, attempts, call_id, failures::text as failures, state,
  (extract(epoch from create_time) * 1000)::float8 as created_ms, (extract(epoch from settle_time) * 1000)::float8 as settled_ms, settled_by`;

export interface LetterRow {
  id: string;
  queue: string;
  name: string;
  job_id: string;
  payload: string;
  error: string;
  attempts: number;
  call_id: string;
  failures: string;
  state: DeadLetterState;
  created_ms: number;
  settled_ms: number | null;
  settled_by: string | null;
}

function toFailures(text: string): JobFailure[] {
  return (JSON.parse(text) as { time: string; attempt: number; error: string }[]).map((failure) => ({ ...failure, time: new Date(failure.time) }));
}

export function toLetter(row: LetterRow): FiledLetter {
  const { id, queue, name, error, attempts, state } = row;
  return {
    id,
    queue,
    name,
    jobId: row.job_id,
    payload: JSON.parse(row.payload) as unknown,
    error,
    attempts,
    callId: row.call_id,
    failures: toFailures(row.failures),
    state,
    createTime: new Date(Number(row.created_ms)),
    settleTime: row.settled_ms === null ? undefined : new Date(Number(row.settled_ms)),
    settledBy: row.settled_by ?? '',
  };
}

const addText = `
  insert into dead_letters (id, queue, name, job_id, payload, error, attempts, call_id, failures, create_time)
  values ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9::jsonb, now()) on conflict (queue, job_id) do nothing`;

const settleText = `
  update dead_letters set state = $2, settle_time = clock_timestamp(), settled_by = $3
  where id = $1 and state = 'open' returning ${letterColumns}`;

/** PostgreSQL keeps no NUL in JSON. */
const toJson = (value: unknown): string => JSON.stringify(value ?? null).replaceAll('\\u0000', '\\ufffd');

export function createDeadLetterRepository(em: EntityManager): DeadLetterRepository {
  return {
    add: async ({ id, queue, name, jobId, payload, error, attempts, callId, failures }) =>
      void (await runStatement(em, addText, [id, queue, name, jobId, toJson(payload), error, attempts, callId, toJson(failures)])),
    settle: async (id, state, actorId) => {
      const [row] = await runStatement<LetterRow>(em, settleText, [id, state, actorId]);
      return row && toLetter(row);
    },
    exists: async (id) => (await runStatement(em, 'select 1 from dead_letters where id = $1', [id])).length === 1,
  };
}
