import { runStatement, type EntityManager } from '#libs/db';

export interface DeadLetter {
  id: string;
  queue: string;
  name: string;
  jobId: string;
  payload: unknown;
  error: string;
  attempts: number;
  callId: string;
}

export interface DeadLetterRepository {
  /** A job that is there already is not added again. */
  add(letter: DeadLetter): Promise<void>;
}

const addText = `
  insert into dead_letters (id, queue, name, job_id, payload, error, attempts, call_id, create_time)
  values ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, now()) on conflict (queue, job_id) do nothing`;

export function createDeadLetterRepository(em: EntityManager): DeadLetterRepository {
  return {
    add: async ({ id, queue, name, jobId, payload, error, attempts, callId }) =>
      void (await runStatement(em, addText, [id, queue, name, jobId, JSON.stringify(payload ?? null), error, attempts, callId])),
  };
}
