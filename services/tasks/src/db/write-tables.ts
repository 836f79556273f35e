import type { CommonTable } from '#libs/db';
import { taskPriorityToNumber, taskStatusToNumber } from '#contract/tasks/v1/tasks';
import type { Task } from '../domain/task.entity.ts';

/*
 * What is written of tasks, each as a table of the one statement that ends a unit of work. Rows go as one JSON value: that
 * takes PostgreSQL and us less than an array for each column, and labels are arrays themselves.
 */
const types = {
  id: 'uuid',
  owner_id: 'uuid',
  assignee_id: 'uuid',
  title: 'text',
  description: 'text',
  status: 'smallint',
  priority: 'smallint',
  due_time: 'timestamptz',
  due_date: 'date',
  due_zone: 'text',
  due_version: 'bigint',
  overdue_version: 'bigint',
  labels: 'text[]',
  external_id: 'text',
  version: 'bigint',
  create_time: 'timestamptz',
  update_time: 'timestamptz',
  complete_time: 'timestamptz',
  delete_time: 'timestamptz',
  purge_time: 'timestamptz',
} as const;

const columns = Object.keys(types) as (keyof typeof types)[];
const row = `(${columns.map((column) => `${column} ${types[column]}`).join(', ')})`;
const neverChanged = new Set(['id', 'owner_id', 'external_id', 'create_time', 'overdue_version']);
const changes = columns.filter((column) => !neverChanged.has(column)).map((column) => `${column} = new.${column}`);

function toRow(task: Task): Record<keyof typeof types, unknown> {
  return {
    id: task.id,
    owner_id: task.ownerId,
    assignee_id: task.assigneeId,
    title: task.title,
    description: task.description,
    status: taskStatusToNumber(task.status),
    priority: taskPriorityToNumber(task.priority),
    due_time: task.dueTime,
    due_date: task.dueDate,
    due_zone: task.dueZone,
    due_version: String(task.dueVersion),
    overdue_version: task.overdueVersion === null ? null : String(task.overdueVersion),
    labels: task.labels,
    external_id: task.externalId,
    version: String(task.version),
    create_time: task.createTime,
    update_time: task.updateTime,
    complete_time: task.completeTime,
    delete_time: task.deleteTime,
    purge_time: task.purgeTime,
  };
}

/** In this order: parallel batches with the same external ids wait for each other in the unique index. */
export function newTasks(tasks: readonly Task[]): CommonTable {
  return {
    name: 'new_tasks',
    text: (add) => `
      insert into tasks (${columns.join(', ')})
      select ${columns.join(', ')} from json_to_recordset(${add(JSON.stringify(tasks.map(toRow)), 'json')}) as new ${row} returning 1`,
  };
}

/** Due rows of tasks that no longer wait for their due time, with the due version that was marked. */
export function leftDues(taskIds: readonly string[]): CommonTable {
  return {
    name: 'left_dues',
    text: (add) => `
      delete from task_due where task_id = any (${add(taskIds, 'uuid[]')})
      returning task_id, case when overdue_time is not null then due_version end as marked_version`,
  };
}

/** With due rows that go, each task remembers whether its due version was marked. */
export function writtenTasks(tasks: readonly Task[], withLeftDues: boolean): CommonTable {
  const remembering = withLeftDues ? ', overdue_version = coalesce(left_dues.marked_version, new.overdue_version)' : '';
  const marks = withLeftDues ? 'left join left_dues on left_dues.task_id = new.id' : '';
  return {
    name: withLeftDues ? 'closed_tasks' : 'written_tasks',
    text: (add) => `
      update tasks set ${changes.join(', ')}${remembering}
      from json_to_recordset(${add(JSON.stringify(tasks.map(toRow)), 'json')}) as new ${row} ${marks}
      where tasks.id = new.id returning 1`,
  };
}

/** Reopened with the due version that had been marked before it was closed: it stays marked. */
export function keptDues(tasks: readonly Task[]): CommonTable[] {
  if (tasks.length === 0) return [];
  const rows = tasks.map(({ id, ownerId, assigneeId, dueTime, dueVersion, overdueVersion }) => ({
    ...{ task_id: id, owner_id: ownerId, assignee_id: assigneeId, due_time: dueTime },
    ...{ due_version: String(dueVersion), marked: overdueVersion === dueVersion },
  }));
  const text: CommonTable['text'] = (add) => `
    insert into task_due as old (task_id, owner_id, assignee_id, due_time, due_version, overdue_time)
    select task_id, owner_id, assignee_id, due_time, due_version, case when marked then now() end
    from json_to_recordset(${add(JSON.stringify(rows), 'json')})
      as new (task_id uuid, owner_id uuid, assignee_id uuid, due_time timestamptz, due_version bigint, marked boolean)
    on conflict (task_id) do update set
      owner_id = excluded.owner_id, assignee_id = excluded.assignee_id, due_time = excluded.due_time, due_version = excluded.due_version,
      overdue_time = case when old.due_version = excluded.due_version then old.overdue_time end
    returning 1`;
  return [{ name: 'kept_dues', text }];
}
