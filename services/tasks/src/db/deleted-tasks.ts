import { runStatement, type EntityManager } from '#libs/db';

export interface DeletedTasks {
  /** Removes up to `limit` tasks whose purge time is over by the database's clock, with what is theirs. Returns how many. */
  purge(limit: number): Promise<number>;
}

// Skips locked tasks: they are being undeleted, or another purge has them.
const purgeText = `
  with gone as (
    delete from tasks where id = any (array(
      select id from tasks where purge_time <= now() and delete_time is not null
      order by purge_time limit $1 for update skip locked))
    returning id),
    comments as (delete from comments using gone where task_id = gone.id),
    watchers as (delete from task_watchers using gone where task_id = gone.id)
  select id from gone`;

export function createDeletedTasks(em: EntityManager): DeletedTasks {
  return { purge: async (limit) => (await runStatement(em, purgeText, [limit])).length };
}
