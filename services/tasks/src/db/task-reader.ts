import type { SqlReader, Statement } from '#libs/db';
import { taskPriorityToNumber, taskStatusFromJSON, taskStatusToNumber, type Task, type TaskState } from '#contract/tasks/v1/tasks';
import type { ListPosition, ListQuery, TaskReader } from '../deps.ts';
import { priorities, statuses } from '../domain/task-enums.ts';
import { beforeFirst, listStatements } from './list-statements.ts';
import { taskColumns, toTask, type TaskRow } from './task-row.ts';

const findTask: Statement = { name: 'find_task', text: `select ${taskColumns} from tasks t where t.id = $1 and t.delete_time is null` };

// One statement, so that counters and due times are of one moment. The heads belong to the event log.
const countTasks: Statement = {
  name: 'count_tasks',
  text: `
    select
      (select counters from event_stream_heads where stream_id = $1::uuid) as counters,
      (select count(*) from task_due where owner_id = $1::uuid and due_time <= now()) as overdue_owned,
      (select count(*) from task_due where assignee_id = $1::uuid and assignee_id <> owner_id and due_time <= now()) as overdue_assigned`,
};

const taskStates: Statement = {
  name: 'task_states',
  text: `
    select id, status, version, due_version, owner_id, assignee_id
    from tasks where id = any ($1::uuid[]) and delete_time is null`,
};

interface StateRow {
  id: string;
  status: number;
  version: bigint;
  due_version: bigint;
  owner_id: string;
  assignee_id: string | null;
}

function toState(row: StateRow): TaskState {
  return {
    taskId: row.id,
    status: taskStatusFromJSON(row.status),
    version: row.version,
    dueVersion: row.due_version,
    ownerId: row.owner_id,
    assigneeId: row.assignee_id ?? '',
  };
}

function toListCall({ whose, statuses: wantedStatuses, priorities: wantedPriorities, after, limit }: ListQuery): [Statement, unknown[]] {
  const mine = 'mine' in whose;
  const { createTime, id } = after ?? beforeFirst;
  const values = [mine ? whose.mine : whose.ownedBy, createTime, id, limit];
  if (wantedStatuses.length === 0 && wantedPriorities.length === 0) return [mine ? listStatements.mine : listStatements.owned, values];
  const cells = (wantedStatuses.length > 0 ? wantedStatuses : statuses).flatMap((status) =>
    (wantedPriorities.length > 0 ? wantedPriorities : priorities).map((priority) => [taskStatusToNumber(status), taskPriorityToNumber(priority)] as const),
  );
  return [mine ? listStatements.mineFiltered : listStatements.ownedFiltered, [...values, cells.map(([status]) => status), cells.map(([, priority]) => priority)]];
}

function positionOf(task: Task | undefined): ListPosition | undefined {
  return task?.createTime === undefined ? undefined : { createTime: task.createTime.toISOString(), id: task.id };
}

export function createTaskReader(reader: SqlReader): TaskReader {
  return {
    find: async (taskId) => {
      const [row] = await reader.query<TaskRow>(findTask, [taskId]);
      return row === undefined ? undefined : toTask(row);
    },
    list: async (query) => {
      // One more than asked for tells whether another page follows.
      const rows = await reader.query<TaskRow>(...toListCall({ ...query, limit: query.limit + 1 }));
      const tasks = rows.slice(0, query.limit).map(toTask);
      return { tasks, next: rows.length > query.limit ? positionOf(tasks.at(-1)) : undefined };
    },
    count: async (personId) => {
      const [row] = await reader.query<{ counters: bigint[] | null; overdue_owned: bigint; overdue_assigned: bigint }>(countTasks, [personId]);
      return { counters: row?.counters ?? [], overdueOwned: row?.overdue_owned ?? 0n, overdueAssigned: row?.overdue_assigned ?? 0n };
    },
    states: async (taskIds) => (await reader.query<StateRow>(taskStates, [taskIds])).map(toState),
  };
}
