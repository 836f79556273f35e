import { TaskStatus } from '#client/tasks';
import { fileIdOf } from './file-ids.ts';
import { escapeMarks } from './marked-words.ts';
import { guardFormula, isTodoistLabel, todoistPriorities } from './todoist-columns.ts';
import { joinLabelWords, type WrittenTask } from './written-task.ts';
import type { StoredTask } from './file-task.ts';

/** Todoist reads minutes. Seconds are written only when they are not zero. */
function dateCells(task: StoredTask): [date: string, zone: string] {
  const { due } = task;
  if (due === undefined) return ['', ''];
  if ('date' in due) return [due.date, due.zone];
  const [day, time] = due.time.toISOString().slice(0, -1).split('T') as [string, string];
  return [`${day} ${time.replace(/(:00)?\.000$/, '')}`, 'UTC'];
}

/** A Todoist file has only open tasks. */
export function fitsTodoist({ status }: StoredTask): boolean {
  return status === TaskStatus.PENDING || status === TaskStatus.IN_PROGRESS;
}

/** Guards cells, because spreadsheets would evaluate formulas that other people wrote into a title. */
function guardCells(cells: string[]): { guarded: string[]; losses: string[] } {
  const guarded = cells.map(guardFormula);
  const changed = guarded.some((cell, index) => cell !== cells[index]);
  return {
    guarded,
    losses: changed
      ? ['with an apostrophe before what a spreadsheet would take for a formula; an import takes it off']
      : [],
  };
}

const toCell = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/** One record, with its end. */
export function writeTodoistCsv(task: StoredTask): WrittenTask {
  const [date, zone] = dateCells(task);
  const { labels, losses } = joinLabelWords(task.labels);
  const content = [escapeMarks(task.title, isTodoistLabel), ...labels.map((label) => `@${label}`)].join(' ');
  const { guarded, losses: formulas } = guardCells([content, task.description]);
  if (task.status === TaskStatus.IN_PROGRESS) losses.push('as not begun: Todoist has no place for IN_PROGRESS');
  const cells = [
    'task',
    ...guarded,
    todoistPriorities[task.priority] ?? '4',
    '1',
    '',
    '',
    date,
    date === '' ? '' : 'en',
    zone,
    fileIdOf(task),
  ];
  return { text: `${cells.map(toCell).join(',')}\n`, losses: [...losses, ...formulas] };
}
