import type { Task } from '#contract/tasks/v1/tasks';
import type { FileEntry, FileSource, ReadOptions } from './file-task.ts';
import { nameRepeated } from './repeated-entries.ts';
import { readIcal } from './read-ical.ts';
import { readTodoTxt } from './read-todo-txt.ts';
import { readTodoistCsv } from './read-todoist-csv.ts';
import { icalFooter, icalHeader, writeIcal } from './write-ical.ts';
import { writeTodoTxt } from './write-todo-txt.ts';
import type { WrittenTask } from './written-task.ts';
import { todoistHeader } from './todoist-columns.ts';
import { fitsTodoist, writeTodoistCsv } from './write-todoist-csv.ts';

/** A file format for tasks. */
export interface FileFormat {
  /** Needs constant memory, except some dozens of bytes for each entry. Throws BrokenFile, possibly only at the end. */
  read(source: FileSource, options: ReadOptions): AsyncIterable<FileEntry>;
  header: string;
  footer: string;
  /** Whether the format can hold the task at all. */
  fits(task: Task): boolean;
  write(task: Task): WrittenTask;
}

const always = (): boolean => true;

export const formats = {
  'todo.txt': { read: nameRepeated(readTodoTxt), header: '', footer: '', fits: always, write: writeTodoTxt },
  todoist: {
    read: nameRepeated(readTodoistCsv),
    header: todoistHeader,
    footer: '',
    fits: fitsTodoist,
    write: writeTodoistCsv,
  },
  ics: { read: nameRepeated(readIcal), header: icalHeader, footer: icalFooter, fits: always, write: writeIcal },
} as const satisfies Record<string, FileFormat>;

export type FormatName = keyof typeof formats;

export const formatNames = Object.keys(formats) as FormatName[];

const extensions: Readonly<Record<string, FormatName>> = { txt: 'todo.txt', csv: 'todoist', ics: 'ics', ical: 'ics' };

/** The format that was asked for, else that of the file's extension. Throws an Error for the caller without either. */
export function chooseFormat(file: string, asked: string | undefined): FileFormat {
  const name = asked ?? extensions[/\.([a-z]+)$/i.exec(file)?.[1]?.toLowerCase() ?? ''];
  if (name !== undefined && Object.hasOwn(formats, name)) return formats[name as FormatName];
  throw new Error(
    asked === undefined
      ? `${file}: .txt, .csv or .ics would tell the format; say it with --format ${formatNames.join('|')}`
      : `--format ${asked}: is none of ${formatNames.join(', ')}`,
  );
}
