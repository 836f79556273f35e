import type { RowOf } from '#libs/db';
import type { Task } from '#contract/tasks/v1/tasks';
import { taskTable, toMessage } from '../domain/task.columns.ts';

/** The columns of `tasks t` that make a Task message. The database's clock decides whether it is overdue. */
export const taskColumns = `
  ${taskTable.select('t')}, (t.status in (1, 2) and t.due_time <= now() and t.delete_time is null) is true as overdue`;

export type TaskRow = RowOf<typeof taskTable.columns> & { overdue: boolean };

export function toTask(row: TaskRow): Task {
  return toMessage(taskTable.toValues(row), row);
}
