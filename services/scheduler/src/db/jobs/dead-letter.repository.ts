import { DeadJobState } from '#contract/scheduler/v1/jobs';
import { runStatement, type EntityManager, type RowOf, type Statement } from '#libs/db';
import { deadLetterTable } from '../../domain/jobs/dead-letter.columns.ts';
import type { DeadLetterRepository } from '../../domain/jobs/dead-letter.repository.ts';
import { transactionTime } from '../insert-rows.ts';
import { before, prunes } from '../pruning.ts';

export type DeadLetterRow = RowOf<typeof deadLetterTable.columns>;

const close: Statement = {
  name: 'close_dead_letter',
  text: `
    update dead_letters set state = $2, settle_time = clock_timestamp(), settled_by = $3
    where id = $1 and state = 'open' returning ${deadLetterTable.select()}`,
};

// A null in the payload is a value, which json_to_recordset would make a missing one.
const insertText = `
  insert into dead_letters (${deadLetterTable.names.join(', ')})
  select ${deadLetterTable.names.map((name) => (name === 'payload' ? `coalesce(payload, 'null')` : name)).join(', ')}`;

/** PostgreSQL accepts no NUL in JSON. */
const withoutNul = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll('\\u0000', '\\ufffd')) as T;

const pruneText = `
  delete from dead_letters where id = any (array(
    select id from dead_letters where state <> 'open' and settle_time < ${before('$1')} order by settle_time limit $2 for update skip locked))
  returning 1`;

export function createDeadLetterRepository(em: EntityManager): DeadLetterRepository {
  return {
    add: async (deadLetter) => {
      const rest = {
        createTime: await transactionTime(em),
        state: DeadJobState.OPEN,
        resolveTime: null,
        resolverId: null,
      };
      const row = { ...withoutNul({ ...deadLetter, payload: deadLetter.payload ?? null }), ...rest };
      const parameters: unknown[] = [];
      const records = deadLetterTable.records([row], (value, type) => `$${parameters.push(value)}::${type}`);
      await runStatement(em, `${insertText} from ${records} on conflict (queue, job_id) do nothing`, parameters);
    },
    close: async (id, state, actorId) => {
      const [row] = await runStatement<DeadLetterRow>(em, close, [id, state, actorId]);
      return row && deadLetterTable.toValues(row);
    },
    exists: async (id) => (await runStatement(em, 'select 1 from dead_letters where id = $1', [id])).length === 1,
    prune: prunes(em, pruneText),
  };
}
