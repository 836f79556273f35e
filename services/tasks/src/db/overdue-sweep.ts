import { runStatement, type EntityManager } from '#libs/db';
import type { EventLog } from '#libs/events';
import { toOverdueEvent, type OverdueTask } from '../domain/task.events.ts';
import { taskTable, toMessage } from '../domain/task.columns.ts';
import { taskColumns, type TaskRow } from './task-row.ts';

export interface OverdueSweep {
  /**
   * Marks up to `limit` due tasks that are not locked as overdue, records their events and returns them, oldest first. It is
   * the last statement of its transaction. The database's clock decides what is due.
   * `from` = leaves out tasks that were due before. `next` = no unmarked task that it saw is due before this time.
   * `more` = there may be more to mark. Tasks of archived and deleted projects are set aside: marked without an event.
   */
  markOverdue(
    limit: number,
    from: Date | undefined,
  ): Promise<{ overdue: OverdueTask[]; more: boolean; next: Date | undefined }>;
}

/*
 * Which tasks: $1 limit, $2 the most streams that one batch looks at, $3 the due time to begin with. A stream is a project, or
 * an owner with the tasks in none.
 *
 *  oldest    the oldest due rows, one more than the limit. When they are not more than the limit, no others are due.
 *  streams   otherwise one stream with a huge backlog could fill the batch. The streams are walked by skipping from one to the
 *            next in the index, from a random start and around.
 *  share     the oldest due rows of each of these streams, an equal part of the batch.
 *  chosen    the shares, oldest first, filled up from the oldest of all.
 *
 * Why it cannot mark twice or too early: every change of a task locks the task's row, and so does the sweep, so what it reads
 * after the lock is current. Task and due row are only written together, under that lock. The sweep skips locked tasks and
 * leaves them to the next batch, so nobody waits for anybody.
 *
 * What it does not announce: rows of projects that are archived or deleted. They are marked too, so that they are passed
 * once and counted as all others are. The project is locked against being closed meanwhile; the tasks of one that is
 * just being changed are left to the next batch. See due-rows-aside.ts for the way back.
 *
 * Why its cost does not grow with the tables: the planner does not know how small a batch is. Given joins, it would read whole
 * tables. Lateral lookups and rows named by their place leave it only the primary keys. A due row that moved since the
 * statement began is left to the next batch.
 *
 * Why its cost does not grow with the rows that are marked: a marked row stays in the indexes of unmarked rows while a
 * transaction, such as a backup's, can see it unmarked, and each batch would pass all of these. So each batch begins at the
 * oldest due time that the batch before left.
 */
const firstStream = (condition: string): string => `
  select coalesce(project_id, owner_id) as stream_id from task_due
  where overdue_time is null ${condition} and due_time >= $3::timestamptz order by coalesce(project_id, owner_id) limit 1`;

export const claimOverdue = `
  with recursive
    oldest as materialized (
      select task_id, due_time from task_due
      where overdue_time is null and due_time >= $3::timestamptz and due_time <= now()
      order by due_time, task_id limit $1 + 1),
    backlog as materialized (select count(*) > $1 as is_long from oldest),
    anywhere as materialized (
      select coalesce(project_id, owner_id) as stream_id from task_due
      where ctid >= (select format('(%s,1)', floor(random() * pg_relation_size('task_due') / 8192)::bigint)::tid)
      limit 1),
    streams (stream_id) as (
      select first.stream_id from backlog cross join lateral (
        (select stream_id from anywhere)
        union all
        (${firstStream('')})
        limit 1) first
      where backlog.is_long
      union
      select coalesce((${firstStream('and coalesce(project_id, owner_id) > streams.stream_id')}), (${firstStream('')}))
      from streams),
    walked as materialized (select stream_id from streams limit $2),
    share as materialized (
      select due.* from walked cross join lateral (
        select task_id, due_time from task_due
        where coalesce(project_id, owner_id) = walked.stream_id and overdue_time is null and due_time >= $3::timestamptz and due_time <= now()
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
        select ${taskColumns},
          (select due.ctid from task_due due where due.task_id = t.id and due.overdue_time is null) as due_place
        from tasks t
        where t.id = chosen.task_id and t.delete_time is null and t.status in (1, 2) and t.due_time <= now()
        for update of t skip locked) t),
    project as materialized (
      select id, archive_time is not null or delete_time is not null as is_closed from projects
      where id = any (array(select "projectId" from held)) order by id for key share skip locked),
    free as materialized (
      select due_place, coalesce(is_closed, false) as is_closed
      from held left join project on project.id = held."projectId"
      where held."projectId" is null or project.id is not null),
    marked as (
      update task_due set overdue_time = now()
      where ctid = any (array(select due_place from free where not is_closed)) and overdue_time is null
      returning task_id),
    aside as (
      update task_due set set_aside = true, overdue_time = now()
      where ctid = any (array(select due_place from free where is_closed)) and overdue_time is null
      returning task_id),
    done as materialized (
      select task_id, false as set_aside from marked union all select task_id, true from aside)
  select held.*, done.set_aside, (select count(*) from chosen) as chosen_count,
    coalesce((select min(due_time) from oldest where task_id not in (select task_id from done)), (select max(due_time) from oldest)) as next_due_time
  from held join done on done.task_id = held.id
  order by held."dueTime", held.id`;

export type ClaimedRow = TaskRow & { set_aside: boolean; chosen_count: bigint; next_due_time: Date };

/** How many streams may share a batch, in multiples of its size. */
export const windowBatches = 2;

export function toOverdueTask(row: ClaimedRow): OverdueTask {
  const values = taskTable.toValues(row);
  return { task: toMessage(values, row), version: values.version, dueVersion: values.dueVersion };
}

export function createOverdueSweep(em: EntityManager, events: EventLog): OverdueSweep {
  return {
    markOverdue: async (limit, from) => {
      const values = [limit, limit * windowBatches, from ?? '-infinity'];
      // Without a name, the statement is planned for the current tables.
      const rows = await runStatement<ClaimedRow>(em, { name: '', text: claimOverdue }, values);
      const [first] = rows;
      const overdue = rows.filter((row) => !row.set_aside).map(toOverdueTask);
      await events.append(overdue.map(toOverdueEvent));
      return {
        overdue,
        more: Number(first?.chosen_count ?? 0) >= limit,
        next: first?.next_due_time,
      };
    },
  };
}
