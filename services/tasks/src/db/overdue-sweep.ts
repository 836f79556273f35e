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
 * Which tasks: $1 limit, $2 window (rows and owners that one batch looks at, at most).
 *
 *  oldest    the due rows that are oldest of all. When fewer than the window are due, these are all there are.
 *  owners    otherwise an owner with a huge backlog may fill the window, so the owners are walked by skipping from one
 *            to the next in the index, beginning anywhere and going round.
 *  share     the oldest of each of them.
 *  chosen    every owner's equal share of the batch first, oldest first; what remains is filled up, oldest first.
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
      order by due_time, task_id limit $2),
    backlog as materialized (select count(*) >= $2 as is_long from oldest),
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
    share as (
      select due.* from walked cross join lateral (
        select task_id, owner_id, due_time from task_due
        where owner_id = walked.owner_id and overdue_time is null and due_time <= now()
        order by due_time, task_id limit greatest(1, $1 / (select count(*) from walked))) due),
    ranked as materialized (
      select *, row_number() over (partition by owner_id order by due_time, task_id) as rank
      from (select * from oldest union select * from share) candidates),
    chosen as materialized (
      select task_id from ranked
      order by rank > greatest(1, $1 / (select count(distinct owner_id) from ranked)), due_time, task_id
      limit $1),
    held as materialized (
      select ${taskColumns}, t.due_version
      from chosen join tasks t on t.id = chosen.task_id
      where t.delete_time is null and t.status in (1, 2) and t.due_time <= now()
      for update of t skip locked),
    marked as (
      update task_due due set overdue_time = now()
      from held where due.task_id = held.id and due.due_version = held.due_version and due.overdue_time is null
      returning due.task_id)
  select held.*, (select count(*) from chosen) as chosen_count
  from held join marked on marked.task_id = held.id
  order by held.due_time, held.id`;

export type ClaimedRow = TaskRow & { due_version: string; chosen_count: string };

/** The window in batches: how far one owner's backlog may reach before the owners are walked. */
export const windowBatches = 10;

export function toOverdueTask(row: ClaimedRow): OverdueTask {
  return { task: toTask(row), version: BigInt(row.version), dueVersion: BigInt(row.due_version) };
}

export function createOverdueSweep(em: EntityManager): OverdueSweep {
  return {
    markOverdue: async (limit) => {
      const rows = await runStatement<ClaimedRow>(em, claimOverdue, [limit, limit * windowBatches]);
      return { overdue: rows.map(toOverdueTask), full: Number(rows[0]?.chosen_count ?? 0) >= limit };
    },
  };
}
