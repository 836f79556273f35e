import { runStatement, type EntityManager } from '#libs/db';
import type { OverdueTask } from '../domain/task.events.ts';
import { taskColumns, toTask, type TaskRow } from './task-row.ts';

export interface OverdueSweep {
  /**
   * Takes up to `limit` due tasks that nobody else holds, marks their due version as overdue and returns them, oldest
   * first. `full` = there were at least as many to take. The database's clock decides what is due. What was due before
   * `from` is left out; of what was seen, nothing from before `next` is left.
   */
  markOverdue(limit: number, from: Date | undefined): Promise<{ overdue: OverdueTask[]; full: boolean; next: Date | undefined }>;
}

/*
 * Which tasks: $1 limit, $2 owners that one batch looks at, at most, $3 the due time to begin with.
 *
 *  oldest    the due rows that are oldest of all, one more than fit. When they fit, these are all there are.
 *  owners    otherwise an owner with a huge backlog may fill the batch, so the owners are walked by skipping from one
 *            to the next in the index, beginning anywhere and going round.
 *  share     the oldest of each of them, an equal part of the batch.
 *  chosen    the shares first, the oldest first; what remains is filled up from the oldest of all.
 *
 * How it cannot mark twice or too early: the lock on the task's row is the one that every change of the task holds, so
 * what is read after taking it is current, and so is the due row that the update then finds: both are only written
 * together, under that lock. A task that somebody holds at this moment is left to the next batch: nobody waits for
 * anybody, whatever order they lock in.
 *
 * How its cost does not grow with the tables: the planner does not see how small a batch is beside them. Written as joins it
 * would read them as a whole; a lateral lookup that locks, a lookup for each row, and rows named by their place leave it
 * nothing but the primary keys. A due row that has moved since the statement began is left to the next batch.
 *
 * How its cost does not grow with what was marked before: a marked row leaves the indexes of the unmarked only when no
 * transaction can see it unmarked any more, and until then each batch would pass all of them, three times. A backup's
 * transaction is enough for that. So each batch begins at the oldest due time that the one before has left.
 */
export const claimOverdue = `
  with recursive
    oldest as materialized (
      select task_id, owner_id, due_time from task_due
      where overdue_time is null and due_time >= $3::timestamptz and due_time <= now()
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
        (select owner_id from task_due where overdue_time is null and due_time >= $3::timestamptz order by owner_id limit 1)
        limit 1) first
      where backlog.is_long
      union
      select coalesce(
        (select owner_id from task_due where overdue_time is null and owner_id > owners.owner_id and due_time >= $3::timestamptz order by owner_id limit 1),
        (select owner_id from task_due where overdue_time is null and due_time >= $3::timestamptz order by owner_id limit 1))
      from owners),
    walked as materialized (select owner_id from owners limit $2),
    share as materialized (
      select due.* from walked cross join lateral (
        select task_id, due_time from task_due
        where owner_id = walked.owner_id and overdue_time is null and due_time >= $3::timestamptz and due_time <= now()
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
      select t.* from chosen cross join lateral (
        select ${taskColumns}, t.due_version,
          (select due.ctid from task_due due where due.task_id = t.id and due.overdue_time is null) as due_place
        from tasks t
        where t.id = chosen.task_id and t.delete_time is null and t.status in (1, 2) and t.due_time <= now()
        for update of t skip locked) t),
    marked as (
      update task_due set overdue_time = now()
      where ctid = any (array(select due_place from held)) and overdue_time is null
      returning task_id)
  select held.*, (select count(*) from chosen) as chosen_count,
    coalesce((select min(due_time) from oldest where task_id not in (select task_id from marked)), (select max(due_time) from oldest)) as next_due_time
  from held join marked on marked.task_id = held.id
  order by held.due_time, held.id`;

export type ClaimedRow = TaskRow & { due_version: string; chosen_count: string; next_due_time: string };

/** In batches: how many owners may share one. */
export const windowBatches = 2;

export function toOverdueTask(row: ClaimedRow): OverdueTask {
  return { task: toTask(row), version: BigInt(row.version), dueVersion: BigInt(row.due_version) };
}

export function createOverdueSweep(em: EntityManager): OverdueSweep {
  return {
    markOverdue: async (limit, from) => {
      const rows = await runStatement<ClaimedRow>(em, claimOverdue, [limit, limit * windowBatches, from ?? '-infinity']);
      const [first] = rows;
      return { overdue: rows.map(toOverdueTask), full: Number(first?.chosen_count ?? 0) >= limit, next: first && new Date(first.next_due_time) };
    },
  };
}
