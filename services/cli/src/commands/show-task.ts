import { TaskPriority, TaskStatus, type Task } from '#client/tasks';
import type { Cli } from '../cli.ts';
import { lines, oneLine, paint, toWords } from '../output/text.ts';
import { showDue, showTime } from '../output/times.ts';

export const statusStyles: Readonly<Record<number, Parameters<typeof paint>[0]>> = {
  [TaskStatus.IN_PROGRESS]: 'cyan',
  [TaskStatus.COMPLETED]: 'green',
  [TaskStatus.CANCELLED]: 'dim',
};

export const priorityStyles: Readonly<Record<number, Parameters<typeof paint>[0]>> = {
  [TaskPriority.URGENT]: 'red',
  [TaskPriority.HIGH]: 'yellow',
  [TaskPriority.LOW]: 'dim',
};

/** A task in one line, as an answer to a change of it. */
export function describeTask(task: Task | undefined, { zone }: Cli): string {
  if (task === undefined) return '';
  const due = showDue(task, zone);
  const parts = [toWords(TaskPriority[task.priority]), ...(due === '' ? [] : [`due ${due}`])];
  return `${task.id} ${oneLine(task.title)} (${parts.join(', ')})`;
}

/** All that there is to see of a task. */
export function showTask(task: Task, { zone }: Cli): string {
  const rows: [string, string][] = [
    ['id', task.id],
    ['key', task.key],
    ['status', toWords(TaskStatus[task.status]) + (task.overdue ? paint('red', ' overdue') : '')],
    ['priority', toWords(TaskPriority[task.priority])],
    ['due', task.due.case === undefined ? '' : `${showDue(task, zone)} (${dueZone(task, zone)})`],
    ['labels', task.labels.map(oneLine).join(', ')],
    ['owner', oneLine(task.ownerName) || task.ownerId],
    ['assignee', oneLine(task.assigneeName) || task.assigneeId],
    ['created', showTime(task.createTime, zone)],
    ['changed', showTime(task.updateTime, zone)],
    ['completed', showTime(task.completeTime, zone)],
    ['deleted', showTime(task.deleteTime, zone)],
  ];
  const shown = rows.filter(([, value]) => value !== '');
  return [
    paint('bold', oneLine(task.title)),
    ...shown.map(([name, value]) => `${paint('dim', name.padEnd(10))}${value}`),
    ...(task.description === '' ? [] : ['', lines(task.description)]),
  ].join('\n');
}

const dueZone = ({ due }: Task, zone: string): string => (due.case === 'dueDay' ? due.value.timeZone : zone);
