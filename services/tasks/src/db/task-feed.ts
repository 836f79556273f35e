import type { SqlReader, Statement } from '#libs/db';
import { currentPosition, readHistory, readUserFeed, type EventBroadcaster } from '#libs/events';
import type { TaskFeed } from '../deps.ts';
import { feedRestored, resumeTokenCompacted } from '../domain/feed.errors.ts';
import { taskColumns, toTask, type TaskRow } from './task-row.ts';

const findPeople: Statement = {
  name: 'find_people_of_task',
  text: 'select owner_id, assignee_id, delete_time is not null as deleted from tasks where id = $1',
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

interface PeopleRow {
  owner_id: string;
  assignee_id: string | null;
  deleted: boolean;
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
    findPeople: async (taskId) => {
      const [row] = await reader.query<PeopleRow>(findPeople, [taskId]);
      return row === undefined
        ? undefined
        : { ownerId: row.owner_id, assigneeId: row.assignee_id ?? '', deleted: row.deleted };
    },
    listMine: async (userId, after, limit) => {
      const { createTime, id } = after ?? beforeFirst;
      return (await reader.query<TaskRow>(listMine, [userId, createTime, id, limit])).map(toTask);
    },
    findMine: async (userId, taskIds) => (await reader.query<TaskRow>(findMine, [userId, taskIds])).map(toTask),
  };
}
