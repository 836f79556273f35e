import type { SqlReader, Statement } from '#libs/db';
import { readHistory, type EventBroadcaster, type FeedSource } from '#libs/events';
import { projectRoleFromJSON } from '#contract/tasks/v1/projects';
import type { TaskFeed } from '../deps.ts';
import { feedRestored, resumeTokenCompacted } from '../domain/feed.errors.ts';
import type { TaskForAccess } from '../domain/task-access.ts';
import { taskColumns, toTask, type TaskRow } from './task-row.ts';

const findForHistory: Statement = {
  name: 'find_for_history',
  text: `
    select
      t.id, t.owner_id as "ownerId", t.assignee_id as "assigneeId", t.project_id as "projectId",
      t.delete_time is not null as "isDeleted", m.role as "ownRole"
    from tasks t left join projects p on p.id = t.project_id
    left join project_members m on m.project_id = t.project_id and m.user_id = $2
    where t.id = $1 and p.delete_time is null`,
};

/** Who shares a project's part of the log. Members of a deleted project go on to read it, so that they hear of its end. */
export const memberships = `
  select user_id, project_id as part_id, coalesce(join_transaction, '0'::xid8) as join_transaction,
    coalesce(join_incarnation, 0) as join_incarnation
  from project_members`;

/** Whether $1 may see a task that they own or are assigned to, or that is in a project. */
const isInSight = (alias: string): string => `
  (${alias}.project_id is null or exists (
    select from project_members m join projects p on p.id = m.project_id
    where m.project_id = ${alias}.project_id and m.user_id = $1 and p.delete_time is null))`;

/* $1 person, $2 create_time and $3 id of the last task of the previous page, $4 limit. An index has the order of each part. */
const pageOf = (whose: string): string => `(
  select id, create_time from tasks
  where ${whose} and delete_time is null and (create_time, id) > ($2::timestamptz, $3::uuid) and ${isInSight('tasks')}
  order by create_time, id limit $4)`;

const listMine: Statement = {
  name: 'sync_list',
  text: `
    select ${taskColumns}
    from (
      select id from (${pageOf('owner_id = $1')} union all ${pageOf('assignee_id = $1 and assignee_id <> owner_id')}) candidates
      order by create_time, id limit $4) page
    join tasks t using (id)
    order by t.create_time, t.id`,
};

/* $1 person, $2 project and $3 number of the last task of the page before, $4 limit, $5 whether no other project follows, $6 with those of others. */
const listShared: Statement = {
  name: 'sync_list_shared',
  text: `
    select ${taskColumns} from project_members m
    join projects p on p.id = m.project_id and p.delete_time is null
    cross join lateral (
      select * from tasks
      where project_id = m.project_id and (project_id, number) > ($2::uuid, $3::bigint) and delete_time is null
        and ($6 or owner_id = $1 or assignee_id = $1)
      order by project_id, number limit $4) t
    where m.user_id = $1 and (m.project_id = $2 or m.project_id > $2 and not $5)
    order by t.project_id, t.number limit $4`,
};

const listOwnIn: Statement = {
  name: 'sync_list_own',
  text: `
    select id, number from tasks
    where project_id = $2 and number > $3::bigint and (owner_id = $1 or assignee_id = $1) order by number limit $4`,
};

/* $1 person, $2 tasks, $3 whether tasks of projects are there for every member. */
const find: Statement = {
  name: 'sync_find',
  text: `
    select ${taskColumns} from tasks t
    where t.id = any ($2::uuid[]) and t.delete_time is null and ${isInSight('t')}
      and (t.owner_id = $1 or t.assignee_id = $1 or $3 and t.project_id is not null)`,
};

const beforeFirst = { createTime: '-infinity', id: '00000000-0000-0000-0000-000000000000' } as const;

interface HistoryRow extends TaskForAccess {
  isDeleted: boolean;
  ownRole: number | null;
}

export function createTaskFeed(
  reader: SqlReader,
  source: FeedSource,
  broadcaster: Pick<EventBroadcaster, 'subscribe'>,
): TaskFeed {
  return {
    subscribe: broadcaster.subscribe,
    end: source.end,
    read: async (userId, after, limit, scope) => {
      const page = await source.readUser(userId, after, limit, scope);
      if (page.unknown) throw feedRestored();
      if (page.pruned) throw resumeTokenCompacted();
      return page;
    },
    history: (taskId, afterEventId, limit) => readHistory(reader, taskId, afterEventId, limit),
    findForHistory: async (taskId, userId) => {
      const [row] = await reader.query<HistoryRow>(findForHistory, [taskId, userId]);
      if (row === undefined) return undefined;
      const { isDeleted, ownRole, ...task } = row;
      return { task, role: ownRole === null ? undefined : projectRoleFromJSON(ownRole), isDeleted };
    },
    listMine: async (userId, after, limit) => {
      const { createTime, id } = after ?? beforeFirst;
      return (await reader.query<TaskRow>(listMine, [userId, createTime, id, limit])).map(toTask);
    },
    listShared: async (userId, { projectId, number, only }, limit, scope) => {
      const parameters = [userId, projectId, number, limit, only, scope === 'all'];
      return (await reader.query<TaskRow>(listShared, parameters)).map(toTask);
    },
    listOwnIn: (userId, { projectId, number }, limit) => reader.query(listOwnIn, [userId, projectId, number, limit]),
    find: async (userId, taskIds, scope) =>
      (await reader.query<TaskRow>(find, [userId, taskIds, scope === 'all'])).map(toTask),
  };
}
