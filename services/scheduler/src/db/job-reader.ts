import type { SqlReader, Statement } from '#libs/db';
import type { JobReader, RecordedEffect } from '../deps.ts';
import { letterColumns, toLetter, type LetterRow } from '../domain/dead-letter.repository.ts';

const holds: Statement = { name: 'queue_holds', text: 'select queue, held_by, hold_time from queue_holds' };

// Bounded, since it is asked often; beyond that the exact number says nothing more.
const openLetters: Statement = {
  name: 'open_letters',
  text: `select queue, count(*) as count from (select queue from dead_letters where state = 'open' limit 100000) bounded group by queue`,
};

const letterPage: Statement = {
  name: 'dead_letter_page',
  text: `
    select ${letterColumns} from dead_letters
    where ($1 = '' or queue = $1) and ($2 = '' or name = $2) and ($3 or state = 'open') and ($4::uuid is null or id < $4::uuid)
    order by id desc limit $5`,
};

const openLetterPage: Statement = {
  name: 'open_dead_letter_page',
  text: `
    select ${letterColumns} from dead_letters
    where ($1 = '' or queue = $1) and ($2 = '' or name = $2) and state = 'open' and ($3::uuid is null or id < $3::uuid)
    order by id desc limit $4`,
};

const letterOfJob: Statement = { name: 'letter_of_job', text: `select ${letterColumns} from dead_letters where queue = any ($1::text[]) and job_id = $2` };

// Each table twice: each half has an index of its own.
const effects: Statement = {
  name: 'job_effects',
  text: `
    with notes as (
      (select id, state, deliver_time, enqueue_time, call_id from notifications where job_id = $1 and state = 'pending' limit $2)
      union all
      (select id, state, deliver_time, enqueue_time, call_id from notifications where job_id = $1 and state <> 'pending' limit $2))
    select 'notification' as kind, n.id, n.state, n.enqueue_time, n.call_id,
      coalesce(n.deliver_time, d.create_time) as finish_time, coalesce(d.attempts, 0) as attempts
    from notes n left join lateral (select max(create_time) as create_time, max(attempts) as attempts from deliveries where notification_id = n.id) d on true
    union all
    (select 'schedule-run', id, state, enqueue_time, call_id, finish_time, 0 from schedule_runs where job_id = $1 and state = 'pending' limit $2)
    union all
    (select 'schedule-run', id, state, enqueue_time, call_id, finish_time, 0 from schedule_runs where job_id = $1 and state <> 'pending' limit $2)`,
};

interface EffectRow {
  kind: RecordedEffect['kind'];
  id: string;
  state: string;
  enqueue_time: Date | null;
  finish_time: Date | null;
  call_id: string;
  attempts: number;
}

function toEffect({ kind, id, state, attempts, ...row }: EffectRow): RecordedEffect {
  return { kind, id, state, attempts, callId: row.call_id, enqueueTime: row.enqueue_time ?? undefined, finishTime: row.finish_time ?? undefined };
}

/** As many effects as one job can have, and some more. */
const maxEffects = 1_000;

export function createJobReader(reader: SqlReader): JobReader {
  return {
    holds: async () => {
      const rows = await reader.query<{ queue: string; held_by: string; hold_time: Date }>(holds, []);
      return new Map(rows.map((row) => [row.queue, { heldBy: row.held_by, holdTime: row.hold_time }]));
    },
    openLetters: async () => {
      const rows = await reader.query<{ queue: string; count: bigint }>(openLetters, []);
      return new Map(rows.map(({ queue, count }) => [queue, Number(count)]));
    },
    letters: async ({ queue, name, includeSettled }, after, limit) => {
      // A statement of its own for the usual question, so that its plan can use the index of open ones.
      const rows = await (includeSettled
        ? reader.query<LetterRow>(letterPage, [queue, name, true, after ?? null, limit])
        : reader.query<LetterRow>(openLetterPage, [queue, name, after ?? null, limit]));
      return rows.map(toLetter);
    },
    letterOf: async (jobId, queues) => {
      const [row] = await reader.query<LetterRow>(letterOfJob, [queues, jobId]);
      return row && toLetter(row);
    },
    effectsOf: async (jobId) => (await reader.query<EffectRow>(effects, [jobId, maxEffects])).map(toEffect),
  };
}
