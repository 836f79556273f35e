import { stringify } from 'csv-stringify/sync';
import { TaskPriority, TaskStatus, type Task } from '#contract/tasks/v1/tasks';

const columns = ['TYPE', 'CONTENT', 'DESCRIPTION', 'PRIORITY', 'INDENT', 'AUTHOR', 'RESPONSIBLE', 'DATE', 'DATE_LANG', 'TIMEZONE'];

const priorities: Partial<Record<TaskPriority, string>> = { [TaskPriority.URGENT]: '1', [TaskPriority.HIGH]: '2', [TaskPriority.MEDIUM]: '3', [TaskPriority.LOW]: '4' };

export const todoistHeader = `${columns.join(',')}\n`;

/** Todoist takes minutes; more is written only when there is more. */
function dateCells({ dueDate, dueZone, dueTime }: Task): [date: string, zone: string] {
  if (dueDate !== '') return [dueDate, dueZone];
  if (dueTime === undefined) return ['', ''];
  const [day, time] = dueTime.toISOString().slice(0, -1).split('T') as [string, string];
  return [`${day} ${time.replace(/(:00)?\.000$/, '')}`, 'UTC'];
}

/** A Todoist file has only what is still to be done. */
export function fitsTodoist({ status }: Task): boolean {
  return status === TaskStatus.PENDING || status === TaskStatus.IN_PROGRESS;
}

/** One record, with its end. */
export function writeTodoistCsv(task: Task): string {
  const [date, zone] = dateCells(task);
  const labels = task.labels.map((label) => `@${label.replaceAll(/\s+/g, '_')}`);
  const content = [task.title, ...labels].join(' ');
  return stringify([['task', content, task.description, priorities[task.priority] ?? '4', '1', '', '', date, date === '' ? '' : 'en', zone]], { quoted_string: true });
}
