import { runStatement, type CommonTable, type EntityManager } from '#libs/db';
import type { CommentWrite } from '../domain/comment.events.ts';
import type { WatcherRepository } from '../domain/watcher.repository.ts';
import { watcherTable, type WatcherValues } from '../domain/watcher.columns.ts';

/** Whoever writes a comment watches the task, unless they have stopped. */
export const commentersWatch = (added: readonly CommentWrite[]): CommonTable => ({
  name: 'watching_commenters',
  text: (add) => {
    const rows = added.map(({ task, actorId: userId, now }): [string, WatcherValues] => [
      `${task.id} ${userId}`,
      { taskId: task.id, userId, watching: true, createTime: now },
    ]);
    return `
      ${watcherTable.insert([...new Map(rows).values()], add)}
      on conflict (task_id, user_id) do update set create_time = excluded.create_time returning 1`;
  },
});

const setText = `
  insert into task_watchers (task_id, user_id, watching, create_time) values ($1, $2, $3, $4)
  on conflict (task_id, user_id) do update set watching = excluded.watching, create_time = excluded.create_time`;

const watchProjectText = `
  insert into project_watchers (project_id, user_id, create_time) values ($1, $2, $3)
  on conflict (project_id, user_id) do update set create_time = excluded.create_time`;
const leaveProjectText = 'delete from project_watchers where project_id = $1 and user_id = $2';

const removeText = `
  with gone as (
    delete from task_watchers where ctid = any (array(select ctid from task_watchers where user_id = $1 limit $2)) returning 1),
    projects_gone as (delete from project_watchers where user_id = $1 returning 1)
  select (select count(*)::int from gone) + (select count(*)::int from projects_gone) as count`;

export function createWatcherStore(em: EntityManager): WatcherRepository {
  return {
    set: async ({ taskId, userId, watching, createTime }) =>
      void (await runStatement(em, setText, [taskId, userId, watching, createTime])),
    watchProject: async ({ projectId, userId, createTime }) =>
      void (await runStatement(em, watchProjectText, [projectId, userId, createTime])),
    leaveProject: async (projectId, userId) => void (await runStatement(em, leaveProjectText, [projectId, userId])),
    removeOf: async (userId, limit) =>
      (await runStatement<{ count: number }>(em, removeText, [userId, limit]))[0]?.count ?? 0,
  };
}
