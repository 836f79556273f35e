import type { CommonTable } from '#libs/db';
import { taskColumns } from '../../src/db/task-row.ts';

/*
 * The statements of the service's methods for the ceiling Q, in as few round trips as possible. Rows of tasks, due times and
 * events are written by the service's own parts of a statement.
 */

export const findTask = {
  name: 'find_task',
  text: `select ${taskColumns} from tasks t where t.id = $1 and t.delete_time is null`,
};

/**
 * The record of a request id together with its response: a bare server needs no transaction around the statement, so that
 * claiming the id first and storing the response last is one and the same. An id that is used fails the whole statement.
 */
export function recordRequest(
  key: readonly [userId: string, method: string, idempotencyKey: string],
  fingerprint: Buffer,
  response: Uint8Array,
): CommonTable {
  return {
    name: 'recorded',
    text: (add) => `
      insert into idempotency_records (user_id, method, request_id, fingerprint, response, create_time)
      values (${key.map((part) => add(part, 'text')).join(', ')}, ${add(fingerprint, 'bytea')}, ${add(Buffer.from(response), 'bytea')}, now()) returning 1`,
  };
}

const newestOf = (whose: string): string => `(
  select id, create_time from tasks where ${whose} and delete_time is null order by create_time desc, id desc limit $2::int)`;

/** $1 person, $2 limit: owned and assigned tasks, the newest first. */
export const listNewest = {
  name: 'list_newest',
  text: `
    select ${taskColumns}
    from (
      select id from (${newestOf('owner_id = $1::uuid')} union all ${newestOf('assignee_id = $1::uuid and assignee_id <> owner_id')}) candidates
      order by create_time desc, id desc limit $2::int) page
    join tasks t using (id)
    order by create_time desc, id desc`,
};
