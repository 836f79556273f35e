import { runStatement, type EntityManager } from '#libs/db';
import type { OverdueTask } from '../domain/task.events.ts';
import { taskColumns, toTask, type TaskRow } from './task-row.ts';

export interface OverdueSweep {
  /**
   * Takes up to `limit` due tasks that nobody else holds, marks their due version as overdue and returns them, oldest
   * first. `full` = there were at least as many to take. The database's clock decides what is due.
   */
  markOverdue(limit: number): Promise<{ overdue: OverdueTask[]; full: boolean }>;
}

/*
 * Which tasks: $1 limit, $2 owners that one batch looks at, at most.
 *
 *  oldest    the due rows that are oldest of all, one more than fit. When they fit, these are all there are.
 *  owners    otherwise an owner with a huge backlog may fill the batch, so the owners are walked by skipping from one
 *            to the next in the index, beginning anywhere and going round.
 *  share     the oldest of each of them, an equal part of the batch.
 *  chosen    the shares first, the oldest first; what remains is filled up from the oldest of all.
 *
 * How it cannot mark twice or too early: the lock on the task's row is the one that every change of the task holds, so
 * what is read after taking it is current, and so is what the update of the due row checks. A task that somebody
 * holds at this moment is left to the next batch: nobody waits for anybody, whatever order they lock in.
 */
export const claimOverdue = `
  with recursive
    oldest as materialized (
      select task_id, owner_id, due_time from task_due
      where overdue_time is null and due_time <= now()
      order by due_time, task_id limit $1 + 1),
    backlog as materialized (select count(*) > $1 as is_long from oldest),
    anywhere as materialized (
      select owner_id from task_due
      where ctid >= (select format('(%s,1)', floor(random() * pg_relation_size('task_due') / 8192)::bigint)::tid)
      limit 1),
    owners (owner_id) as (
      select first.owner_id from backlog cross join lateral (
        (select owner_id from anywhere)
        union all
        (select owner_id from task_due where overdue_time is null order by owner_id limit 1)
        limit 1) first
      where backlog.is_long
      union
      select coalesce(
        (select owner_id from task_due where overdue_time is null and owner_id > owners.owner_id order by owner_id limit 1),
        (select owner_id from task_due where overdue_time is null order by owner_id limit 1))
      from owners),
    walked as materialized (select owner_id from owners limit $2),
    share as materialized (
      select due.* from walked cross join lateral (
        select task_id, due_time from task_due
        where owner_id = walked.owner_id and overdue_time is null and due_time <= now()
        order by due_time, task_id limit greatest(1, $1 / (select count(*) from walked))) due),
    chosen as materialized (
      select task_id from (
        select task_id, due_time, true as is_share from share
        union all
        select task_id, due_time, false from oldest) candidates
      group by task_id, due_time
      order by bool_or(is_share) desc, due_time, task_id
      limit $1),
    held as materialized (
      select ${taskColumns}, t.due_version
      from chosen join tasks t on t.id = chosen.task_id
      where t.delete_time is null and t.status in (1, 2) and t.due_time <= now()
      for update of t skip locked),
    marked as (
      update task_due due set overdue_time = now()
      from held where due.task_id = held.id and due.due_version = held.due_version and due.overdue_time is null
      returning held.*)
  select marked.*, (select count(*) from chosen) as chosen_count from marked order by due_time, id`;

/*
 * A batch is small beside the tables, which the planner does not see: it would read them as a whole, and the cost of a
 * claim would grow with them. All ways left to it begin at the rows of the batch.
 */
export const claimByIndexes = `select set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), set_config('enable_seqscan', 'off', true)`;

export type ClaimedRow = TaskRow & { due_version: string; chosen_count: string };

/** In batches: how many owners may share one. */
export const windowBatches = 2;

export function toOverdueTask(row: ClaimedRow): OverdueTask {
  return { task: toTask(row), version: BigInt(row.version), dueVersion: BigInt(row.due_version) };
}

export function createOverdueSweep(em: EntityManager): OverdueSweep {
  return {
    markOverdue: async (limit) => {
      await runStatement(em, claimByIndexes, []);
      const rows = await runStatement<ClaimedRow>(em, claimOverdue, [limit, limit * windowBatches]);
      return { overdue: rows.map(toOverdueTask), full: Number(rows[0]?.chosen_count ?? 0) >= limit };
    },
  };
}
