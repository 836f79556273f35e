import { runStatement, type CommonTable, type EntityManager } from '#libs/db';
import type { CommentWrite } from '../domain/comment.events.ts';
import type { TaskWrite } from '../domain/task.events.ts';
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

/* Whose row counts where the task was, as the readers of watchers have it. */
const counted = `
  case when moved.source_id is null then w.user_id in (moved.owner_id, moved.assignee_id)
    else exists (
      select from project_members m
      where m.project_id = moved.source_id and m.user_id = w.user_id and m.create_time <= w.create_time) end`;
const seesTarget = `
  case when moved.target_id is null then w.user_id in (moved.next_owner_id, moved.next_assignee_id)
    else exists (select from project_members m where m.project_id = moved.target_id and m.user_id = w.user_id) end`;

/**
 * The choices of those who see a task where it goes stay. In a project a row counts that is not older than the
 * membership, so theirs are dated to the membership there. All others are removed: they do not come back with the task.
 */
export function watchersOfMoved(moves: readonly TaskWrite[]): CommonTable[] {
  const moved = (add: (value: unknown, type: string) => string): string => {
    const list = (of: (write: TaskWrite) => string | null | undefined): string =>
      add(
        moves.map((write) => of(write) || null),
        'uuid[]',
      );
    return `unnest(${list(({ task }) => task.id)}, ${list(({ before }) => before.message?.projectId)},
      ${list(({ before }) => before.message?.ownerId)}, ${list(({ before }) => before.message?.assigneeId)},
      ${list(({ task }) => task.projectId)}, ${list(({ task }) => task.ownerId)}, ${list(({ task }) => task.assigneeId)})
      as moved (task_id, source_id, owner_id, assignee_id, target_id, next_owner_id, next_assignee_id)`;
  };
  return [
    {
      name: 'unwatched',
      text: (add) => `
        delete from task_watchers w using ${moved(add)}
        where w.task_id = moved.task_id and not ((${counted}) is true and (${seesTarget}) is true) returning 1`,
    },
    {
      name: 'redated',
      text: (add) => `
        update task_watchers w set create_time = m.create_time
        from ${moved(add)} join project_members m on m.project_id = moved.target_id
        where w.task_id = moved.task_id and m.user_id = w.user_id and w.create_time < m.create_time and (${counted})
        returning 1`,
    },
  ];
}

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
