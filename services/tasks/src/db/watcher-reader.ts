import type { RowOf, SqlReader, Statement } from '#libs/db';
import type { ProjectWatcher } from '#contract/tasks/v1/projects';
import type { TaskWatcher } from '#contract/tasks/v1/tasks';
import { projectWatcherTable, toProjectWatcherMessage } from '../domain/project-watcher.columns.ts';
import { toWatcherMessage, watcherTable } from '../domain/watcher.columns.ts';

/*
 * The existing ones of some tasks, in projects that are not deleted. Who sees one without being an administrator: owner
 * and assignee, in a project its members, to whom both belong.
 */
const existing = (ids: string): string => `
  existing as materialized (
    select t.id, t.owner_id, t.assignee_id, t.project_id from tasks t left join projects p on p.id = t.project_id
    where t.id = any (${ids}) and t.delete_time is null and p.delete_time is null)`;

/** `w`: rows that are not older than the membership. */
const currentProjectWatchers = `(
    select w.* from project_watchers w
    join project_members m on m.project_id = w.project_id and m.user_id = w.user_id and m.create_time <= w.create_time) w`;

/**
 * `choice`: rows of people who see the task; those who came back to a project after they had left have none. It goes
 * before the reasons to watch without one: to own the task, to be assigned, or to watch its project.
 */
const watchers = (ids: string): string => `
  ${existing(ids)},
  choice as (
    select w.* from existing e join task_watchers w on w.task_id = e.id
    left join project_members m on m.project_id = e.project_id and m.user_id = w.user_id
    where case when e.project_id is null then w.user_id in (e.owner_id, e.assignee_id)
      else m.create_time <= w.create_time end),
  watcher as (
    select task_id, user_id, create_time from choice where watching
    union all
    select e.id, person.id, null from existing e cross join lateral (
      select e.owner_id as id union select e.assignee_id where e.assignee_id is not null) person
    where not exists (select from choice c where c.task_id = e.id and c.user_id = person.id)
      and (e.project_id is null or exists (
        select from project_members m where m.project_id = e.project_id and m.user_id = person.id))
    union all
    select e.id, w.user_id, w.create_time from existing e join ${currentProjectWatchers} on w.project_id = e.project_id
    where w.user_id is distinct from e.owner_id and w.user_id is distinct from e.assignee_id
      and not exists (select from choice c where c.task_id = e.id and c.user_id = w.user_id))`;

const watchersOfTasks: Statement = {
  name: 'watchers_of_tasks',
  text: `
    with ${watchers('$1::uuid[]')}
    select task_id as "taskId", user_id as "userId", true as watching from watcher
    union all select task_id, user_id, false from choice where not watching
    order by 1, 2`,
};

/* $1 task, $2 person of the last watcher of the page before, $3 limit. */
const listWatchers: Statement = {
  name: 'list_watchers',
  text: `
    with ${watchers('array[$1::uuid]')}
    select task_id as "taskId", user_id as "userId", true as watching, create_time as "createTime" from watcher
    where user_id > $2::uuid order by user_id limit $3`,
};

/* $1 tasks, $2 people, $3 comments or null, of each pair. */
const checkReaders: Statement = {
  name: 'check_readers',
  text: `
    with ${existing('$1::uuid[]')}
    select case when e.project_id is null then asked.user_id in (e.owner_id, e.assignee_id)
      else exists (select from project_members m where m.project_id = e.project_id and m.user_id = asked.user_id) end
      and (comment_id is null or exists (
        select from comments c where c.id = comment_id and c.task_id = e.id and c.delete_time is null))
      is true as "mayRead"
    from unnest($1::uuid[], $2::uuid[], $3::uuid[]) with ordinality as asked (task_id, user_id, comment_id, place)
    left join existing e on e.id = asked.task_id order by place`,
};

/* $1 person, $2 task before, $3 limit. */
const listOfUser: Statement = {
  name: 'list_watchers_of_user',
  text: `
    select ${watcherTable.select()} from task_watchers where user_id = $1 and task_id > $2::uuid
    order by task_id limit $3`,
};

/* $1 project, $2 person of the last watcher of the page before, $3 limit. */
const listOfProject: Statement = {
  name: 'list_project_watchers',
  text: `
    select ${projectWatcherTable.select('w')} from ${currentProjectWatchers}
    where w.project_id = $1 and w.user_id > $2::uuid order by w.user_id limit $3`,
};

/* $1 person, $2 project before, $3 limit. */
const listProjectsOfUser: Statement = {
  name: 'list_watched_projects_of_user',
  text: `
    select ${projectWatcherTable.select()} from project_watchers where user_id = $1 and project_id > $2::uuid
    order by project_id limit $3`,
};

const beforeFirst = '00000000-0000-0000-0000-000000000000';

export interface ReaderPair {
  taskId: string;
  userId: string;
  /** A comment that must be there; '' = of none. */
  commentId: string;
}

/** Who is to be told of what happens to tasks. Administrators are not told as such. */
export interface WatcherReader {
  /** Of those who see the tasks: who watches them, and who has stopped. */
  ofTasks(taskIds: readonly string[]): Promise<{ taskId: string; userId: string; watching: boolean }[]>;
  /** Whether the user of each pair sees the task. */
  mayRead(pairs: readonly ReaderPair[]): Promise<boolean[]>;
  /** Who watches one task, by their ids. */
  list(taskId: string, afterId: string | undefined, limit: number): Promise<TaskWatcher[]>;
  /** What a person has chosen, by the ids of the tasks. */
  listOfUser(userId: string, afterId: string | undefined, limit: number): Promise<TaskWatcher[]>;
  /** Who watches a project, by their ids. */
  listOfProject(projectId: string, afterId: string | undefined, limit: number): Promise<ProjectWatcher[]>;
  /** The projects that a person has chosen to watch, by their ids. */
  listProjectsOfUser(userId: string, afterId: string | undefined, limit: number): Promise<ProjectWatcher[]>;
}

type WatcherRow = RowOf<typeof watcherTable.columns>;
const toWatcher = (row: WatcherRow): TaskWatcher => toWatcherMessage(watcherTable.toValues(row), {});

type ProjectWatcherRow = RowOf<typeof projectWatcherTable.columns>;
const toProjectWatcher = (row: ProjectWatcherRow): ProjectWatcher =>
  toProjectWatcherMessage(projectWatcherTable.toValues(row), {});

export function createWatcherReader(reader: SqlReader): WatcherReader {
  return {
    ofTasks: async (taskIds) => (taskIds.length === 0 ? [] : reader.query(watchersOfTasks, [taskIds])),
    mayRead: async (pairs) => {
      if (pairs.length === 0) return [];
      const rows = await reader.query<{ mayRead: boolean }>(checkReaders, [
        pairs.map(({ taskId }) => taskId),
        pairs.map(({ userId }) => userId),
        pairs.map(({ commentId }) => (commentId === '' ? null : commentId)),
      ]);
      return rows.map(({ mayRead }) => mayRead);
    },
    list: async (taskId, afterId = beforeFirst, limit) =>
      (await reader.query<WatcherRow>(listWatchers, [taskId, afterId, limit])).map(toWatcher),
    listOfUser: async (userId, afterId = beforeFirst, limit) =>
      (await reader.query<WatcherRow>(listOfUser, [userId, afterId, limit])).map(toWatcher),
    listOfProject: async (projectId, afterId = beforeFirst, limit) =>
      (await reader.query<ProjectWatcherRow>(listOfProject, [projectId, afterId, limit])).map(toProjectWatcher),
    listProjectsOfUser: async (userId, afterId = beforeFirst, limit) =>
      (await reader.query<ProjectWatcherRow>(listProjectsOfUser, [userId, afterId, limit])).map(toProjectWatcher),
  };
}
