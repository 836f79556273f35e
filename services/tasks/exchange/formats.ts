import type { Task } from '#contract/tasks/v1/tasks';
import type { ReadOptions, TaskFile } from './file-task.ts';
import { readIcal } from './read-ical.ts';
import { readTodoTxt } from './read-todo-txt.ts';
import { readTodoistCsv } from './read-todoist-csv.ts';
import { icalFooter, icalHeader, writeIcal } from './write-ical.ts';
import { writeTodoTxt } from './write-todo-txt.ts';
import { fitsTodoist, todoistHeader, writeTodoistCsv } from './write-todoist-csv.ts';

/** How tasks stand in a file. */
export interface FileFormat {
  /** Throws BrokenFile. */
  read(content: string, options: ReadOptions): TaskFile;
  header: string;
  footer: string;
  /** Whether the file has a place for the task at all. */
  fits(task: Task): boolean;
  write(task: Task): string;
}

const always = (): boolean => true;

export const formats = {
  'todo.txt': { read: readTodoTxt, header: '', footer: '', fits: always, write: writeTodoTxt },
  todoist: { read: readTodoistCsv, header: todoistHeader, footer: '', fits: fitsTodoist, write: writeTodoistCsv },
  ics: { read: readIcal, header: icalHeader, footer: icalFooter, fits: always, write: writeIcal },
} as const satisfies Record<string, FileFormat>;

export type FormatName = keyof typeof formats;

export const formatNames = Object.keys(formats) as FormatName[];

const extensions: Readonly<Record<string, FormatName>> = { txt: 'todo.txt', csv: 'todoist', ics: 'ics', ical: 'ics' };

/** What was asked for, else by the file's extension. Throws an Error for the caller when neither tells. */
export function chooseFormat(file: string, asked: string | undefined): FileFormat {
  const name = asked ?? extensions[/\.([a-z]+)$/i.exec(file)?.[1]?.toLowerCase() ?? ''];
  if (name !== undefined && Object.hasOwn(formats, name)) return formats[name as FormatName];
  throw new Error(asked === undefined ? `${file}: .txt, .csv or .ics would tell the format; say it with --format ${formatNames.join('|')}` : `--format ${asked}: is none of ${formatNames.join(', ')}`);
}
