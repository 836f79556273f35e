import { taskPriorityFromJSON, taskStatusFromJSON, type Task } from '#contract/tasks/v1/tasks';
import { toEtag } from '../domain/task.entity.ts';

/** The columns of `tasks` as `t` that make a Task message; whether it is overdue is told by the database's clock. */
export const taskColumns = `
  t.id, t.owner_id, t.assignee_id, t.title, t.description, t.status, t.priority, t.due_time, t.due_date::text as due_date, t.due_zone, t.labels, t.external_id,
  t.version, t.create_time, t.update_time, t.complete_time, t.delete_time, t.purge_time,
  (t.status in (1, 2) and t.due_time <= now() and t.delete_time is null) is true as overdue`;

/** Inside a unit of work the driver gives times and int8 as text, for the reader's statements as Date and bigint. */
type Time = Date | string;

/** What both kinds of statement give in the same form. */
export interface TaskCells {
  id: string;
  owner_id: string;
  assignee_id: string | null;
  title: string;
  description: string;
  status: number;
  priority: number;
  due_date: string | null;
  due_zone: string | null;
  labels: string[];
  external_id: string | null;
}

export interface TaskRow extends TaskCells {
  due_time: Time | null;
  version: bigint | string;
  create_time: Time;
  update_time: Time;
  complete_time: Time | null;
  delete_time: Time | null;
  purge_time: Time | null;
  overdue: boolean;
}

function toDate(time: Time | null): Date | undefined {
  if (time === null) return undefined;
  return typeof time === 'string' ? new Date(time) : time;
}

export function toTask(row: TaskRow): Task {
  return {
    id: row.id,
    ownerId: row.owner_id,
    title: row.title,
    description: row.description,
    status: taskStatusFromJSON(row.status),
    priority: taskPriorityFromJSON(row.priority),
    dueTime: toDate(row.due_time),
    dueDate: row.due_date ?? '',
    dueZone: row.due_zone ?? '',
    assigneeId: row.assignee_id ?? '',
    labels: row.labels,
    externalId: row.external_id ?? '',
    etag: toEtag(BigInt(row.version)),
    createTime: toDate(row.create_time),
    updateTime: toDate(row.update_time),
    completeTime: toDate(row.complete_time),
    deleteTime: toDate(row.delete_time),
    purgeTime: toDate(row.purge_time),
    overdue: row.overdue,
    ownerName: '',
    assigneeName: '',
  };
}
