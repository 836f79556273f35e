import { UsageError } from '#dev/cluster';
import type { FileEntry, FileSource, ReadOptions, StoredTask } from './file-task.ts';
import { nameRepeated } from './repeated-entries.ts';
import { readExport } from './read-export.ts';
import { readIcal } from './read-ical.ts';
import { readTodoTxt } from './read-todo-txt.ts';
import { readTodoistCsv } from './read-todoist-csv.ts';
import { icalFooter, icalHeader, writeIcal } from './write-ical.ts';
import { writeTodoTxt } from './write-todo-txt.ts';
import type { WrittenTask } from './written-task.ts';
import { todoistHeader } from './todoist-columns.ts';
import { fitsTodoist, writeTodoistCsv } from './write-todoist-csv.ts';

/** A file format that tasks are read from. */
export interface ReadableFormat {
  /** Needs constant memory, except some dozens of bytes for each entry. Throws BrokenFile, possibly only at the end. */
  read(source: FileSource, options: ReadOptions): AsyncIterable<FileEntry>;
}

/** A file format for tasks. */
export interface FileFormat extends ReadableFormat {
  header: string;
  footer: string;
  /** Whether the format can hold the task at all. */
  fits(task: StoredTask): boolean;
  write(task: StoredTask): WrittenTask;
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

/** An export of everything; the services write it. */
const everything: ReadableFormat = { read: nameRepeated(readExport) };

export const readableFormats: Readonly<Record<FormatName | 'jsonl', ReadableFormat>> = {
  ...formats,
  jsonl: everything,
};
/** `undefined`: ExportMyData writes it. */
export const writableFormats: Readonly<Record<FormatName | 'jsonl', FileFormat | undefined>> = {
  ...formats,
  jsonl: undefined,
};

const extensions: Readonly<Record<string, FormatName | 'jsonl'>> = {
  txt: 'todo.txt',
  csv: 'todoist',
  ics: 'ics',
  ical: 'ics',
  jsonl: 'jsonl',
};

/** The format that was asked for, else that of the file's extension. Throws UsageError without either. */
export function chooseFormat<F>(known: Readonly<Record<string, F>>, file: string, asked: string | undefined): F {
  const name = asked ?? extensions[/\.([a-z]+)$/i.exec(file)?.[1]?.toLowerCase() ?? ''];
  if (name !== undefined && Object.hasOwn(known, name)) return known[name] as F;
  const names = Object.keys(known);
  throw new UsageError(
    asked === undefined
      ? `${file}: .txt, .csv, .ics or .jsonl would tell the format; say it with --format ${names.join('|')}`
      : `--format ${asked}: is none of ${names.join(', ')}`,
  );
}
