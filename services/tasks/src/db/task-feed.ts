import type { SqlReader, Statement } from '#libs/db';
import { currentPosition, readHistory, readUserFeed, type EventBroadcaster } from '#libs/events';
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

/* $1 person, $2 create_time and $3 id of the last task of the previous page, $4 limit. An index has the order of each part. */
const pageOf = (whose: string): string => `(
  select id, create_time from tasks
  where ${whose} and delete_time is null and (create_time, id) > ($2::timestamptz, $3::uuid)
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

const findMine: Statement = {
  name: 'sync_find',
  text: `select ${taskColumns} from tasks t where t.id = any ($2::uuid[]) and t.delete_time is null and (t.owner_id = $1 or t.assignee_id = $1)`,
};

const beforeFirst = { createTime: '-infinity', id: '00000000-0000-0000-0000-000000000000' } as const;

interface HistoryRow extends TaskForAccess {
  isDeleted: boolean;
  ownRole: number | null;
}

export function createTaskFeed(reader: SqlReader, broadcaster: Pick<EventBroadcaster, 'subscribe'>): TaskFeed {
  return {
    subscribe: broadcaster.subscribe,
    end: () => currentPosition(reader),
    read: async (userId, after, limit) => {
      const page = await readUserFeed(reader, userId, after, limit);
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
    findMine: async (userId, taskIds) => (await reader.query<TaskRow>(findMine, [userId, taskIds])).map(toTask),
  };
}
