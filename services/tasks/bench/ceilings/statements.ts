import { taskColumns } from '../../src/db/task-row.ts';

/*
 * What the service's methods ask of PostgreSQL, for the ceiling Q. Keep them what the service runs: when the service gets
 * by with fewer statements, so must its ceiling. Lists and the event log's statement are taken from the service itself.
 */

export const findTask = { name: 'find_task', text: `select ${taskColumns} from tasks t where t.id = $1 and t.delete_time is null` };

export const claimRequest = {
  name: 'claim_request',
  text: `
    insert into idempotency_records (user_id, method, request_id, fingerprint, create_time)
    values ($1, $2, $3, $4, now()) on conflict do nothing returning 1`,
};

export const storeResponse = {
  name: 'store_response',
  text: 'update idempotency_records set response = $4 where user_id = $1 and method = $2 and request_id = $3',
};

export const insertTask = {
  name: 'insert_task',
  text: `
    insert into tasks (
      id, owner_id, assignee_id, title, description, status, priority, due_time, due_date, due_zone, due_version, overdue_version,
      labels, external_id, version, create_time, update_time, complete_time, delete_time, purge_time)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
};

export const insertDue = {
  name: 'insert_due',
  text: 'insert into task_due (task_id, owner_id, assignee_id, due_time, due_version, overdue_time) values ($1, $2, $3, $4, $5, $6)',
};

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
