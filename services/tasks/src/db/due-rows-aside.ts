import { runStatement, type EntityManager } from '#libs/db';

export interface DueRowsAside {
  /**
   * Takes the marks back from up to `limit` due rows that were set aside, of one project that is open again. The sweep
   * announces them then. Returns how many rows it found, or 0 when all of them were locked.
   */
  bringBack(limit: number): Promise<number>;
}

/*
 *  aside   the projects that have rows set aside, walked by skipping from one to the next in the index, so that the rows of
 *          projects that stay closed cost nothing.
 *  open    one of them that is neither archived nor deleted.
 *  held    the tasks of some of its rows, locked as everybody does who writes due rows.
 *  still   the project as it is now, locked so that nobody closes it meanwhile.
 */
const bringBackText = `
  with recursive
    aside (project_id) as (
      (select project_id from task_due where set_aside order by project_id limit 1)
      union all
      select (select project_id from task_due where set_aside and project_id > aside.project_id order by project_id limit 1)
      from aside where aside.project_id is not null),
    open as materialized (
      select p.id from aside cross join lateral (
        select id from projects where id = aside.project_id and archive_time is null and delete_time is null offset 0) p
      limit 1),
    found as materialized (
      select due.task_id from open cross join lateral (
        select task_id from task_due where set_aside and project_id = open.id order by task_id limit $1) due),
    held as materialized (
      select t.id, t.due_place from found cross join lateral (
        select id, (select due.ctid from task_due due where due.task_id = tasks.id and due.set_aside) as due_place
        from tasks where id = found.task_id for update skip locked) t),
    still as materialized (
      select archive_time is null and delete_time is null as is_open from projects
      where id = any (array(select open.id from open where exists (select from held))) for key share skip locked),
    back as (
      update task_due set overdue_time = null, set_aside = false
      where ctid = any (array(select due_place from held where (select is_open from still))) and set_aside
      returning 1)
  select (select count(*) from found)::int as found_count from back limit 1`;

export function createDueRowsAside(em: EntityManager): DueRowsAside {
  return {
    bringBack: async (limit) => {
      // Without a name, the statement is planned for the current tables.
      const rows = await runStatement<{ found_count: number }>(em, { name: '', text: bringBackText }, [limit]);
      return rows[0]?.found_count ?? 0;
    },
  };
}
