import type { SqlReader, Statement } from '#libs/db';
import type { JobReader } from '../../domain/jobs/job.reader.ts';
import { deadLetterTable } from '../../domain/jobs/dead-letter.columns.ts';
import type { DeadLetterRow } from './dead-letter.repository.ts';

const pausedQueues: Statement = {
  name: 'paused_queues',
  text: 'select queue, held_by as "pausedBy", hold_time as "pauseTime" from queue_holds',
};

// Bounded, since it is read often; an exact number beyond the bound has no use.
const openDeadLetters: Statement = {
  name: 'open_dead_letters',
  text: `select queue, count(*) as count from (select queue from dead_letters where state = 'open' limit 100000) bounded group by queue`,
};

const deadLetterPage: Statement = {
  name: 'dead_letter_page',
  text: `
    select ${deadLetterTable.select()} from dead_letters
    where ($1 = '' or queue = $1) and ($2 = '' or name = $2) and ($3 or state = 'open') and ($4::uuid is null or id < $4::uuid)
    order by id desc limit $5`,
};

const openDeadLetterPage: Statement = {
  name: 'open_dead_letter_page',
  text: `
    select ${deadLetterTable.select()} from dead_letters
    where ($1 = '' or queue = $1) and ($2 = '' or name = $2) and state = 'open' and ($3::uuid is null or id < $3::uuid)
    order by id desc limit $4`,
};

const deadLetterOfJob: Statement = {
  name: 'dead_letter_of_job',
  text: `select ${deadLetterTable.select()} from dead_letters where queue = any ($1::text[]) and job_id = $2`,
};

export function createJobReader(reader: SqlReader): JobReader {
  return {
    pausedQueues: async () => {
      const rows = await reader.query<{ queue: string; pausedBy: string; pauseTime: Date }>(pausedQueues, []);
      return new Map(rows.map(({ queue, ...pause }) => [queue, pause]));
    },
    openDeadLetters: async () => {
      const rows = await reader.query<{ queue: string; count: bigint }>(openDeadLetters, []);
      return new Map(rows.map(({ queue, count }) => [queue, Number(count)]));
    },
    deadLetters: async ({ queue, name, includeResolved }, after, limit) => {
      // A separate statement for open ones, so that its plan can use their index.
      const rows = await (includeResolved
        ? reader.query<DeadLetterRow>(deadLetterPage, [queue, name, true, after ?? null, limit])
        : reader.query<DeadLetterRow>(openDeadLetterPage, [queue, name, after ?? null, limit]));
      return rows.map(deadLetterTable.toValues);
    },
    deadLetterOf: async (jobId, queues) => {
      const [row] = await reader.query<DeadLetterRow>(deadLetterOfJob, [queues, jobId]);
      return row && deadLetterTable.toValues(row);
    },
  };
}
