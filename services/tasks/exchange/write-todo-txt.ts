import { TaskPriority, TaskStatus } from '#client/tasks';
import { fileIdOf } from './file-ids.ts';
import { joinLabelWords, type WrittenTask } from './written-task.ts';
import { escapeMarks } from './marked-words.ts';
import { isTodoTxtMark, todoTxtKeys } from './todo-txt-marks.ts';
import type { StoredTask } from './file-task.ts';

const letters: Partial<Record<TaskPriority, string>> = {
  [TaskPriority.URGENT]: 'A',
  [TaskPriority.HIGH]: 'B',
  [TaskPriority.MEDIUM]: 'C',
  [TaskPriority.LOW]: 'D',
};
const statusKeys: Partial<Record<TaskStatus, string>> = {
  [TaskStatus.IN_PROGRESS]: todoTxtKeys.inProgress,
  [TaskStatus.CANCELLED]: todoTxtKeys.cancelled,
};

function dayOf(time: Date | undefined): string[] {
  return time === undefined ? [] : [time.toISOString().slice(0, 10)];
}

function dueKeys(task: StoredTask): string[] {
  const { due } = task;
  if (due === undefined) return [];
  return 'date' in due
    ? [`${todoTxtKeys.due}${due.date}`, `${todoTxtKeys.zone}${due.zone}`]
    : [`${todoTxtKeys.due}${due.time.toISOString()}`];
}

/** Contexts keep their @. */
function toMark(label: string): string {
  return /^@\S/.test(label) ? label : `+${label}`;
}

/** With this before the title, its first word is never taken for a mark. */
function beginning(task: StoredTask): string[] {
  const letter = letters[task.priority] ?? 'C';
  const created = dayOf(task.createTime);
  if (task.status === TaskStatus.COMPLETED) return ['x', ...dayOf(task.completeTime), ...created];
  return [`(${letter})`, ...created];
}

/** One line, with its end. */
export function writeTodoTxt(task: StoredTask): WrittenTask {
  const completed = task.status === TaskStatus.COMPLETED;
  const priority = completed ? [`${todoTxtKeys.priority}${letters[task.priority] ?? 'C'}`] : [];
  const { labels, losses } = joinLabelWords(task.labels);
  if (task.description !== '') losses.push('without its description, which todo.txt has no place for');
  const words = [
    ...beginning(task),
    escapeMarks(task.title, isTodoTxtMark),
    ...labels.map(toMark),
    ...dueKeys(task),
    ...priority,
    statusKeys[task.status] ?? '',
    `${todoTxtKeys.task}${fileIdOf(task)}`,
  ];
  return { text: `${words.filter((word) => word !== '').join(' ')}\n`, losses };
}
