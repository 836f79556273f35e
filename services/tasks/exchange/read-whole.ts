import type { ImportedTask, Notice, ReadOptions } from './file-task.ts';
import { formats, type FormatName } from './formats.ts';

/* For tests: builders of files, and all entries of a file at once. */

export interface TaskFile {
  tasks: ImportedTask[];
  malformed: Notice[];
  remarks: Notice[];
}

/** As many bytes at a time as `size` says. */
export async function* inChunks(content: string | Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(content);
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

export async function readWhole(
  format: FormatName,
  content: string | Uint8Array,
  options: ReadOptions = { zone: 'UTC' },
  size?: number,
): Promise<TaskFile> {
  const file: TaskFile = { tasks: [], malformed: [], remarks: [] };
  for await (const entry of formats[format].read(() => inChunks(content, size), options)) {
    if ('task' in entry) file.tasks.push(entry.task);
    else if ('skipped' in entry) file.malformed.push(entry.skipped);
    else file.remarks.push(entry.remark);
  }
  return file;
}

/** An iCalendar file. */
export const calendar = (...lines: string[]): string =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', ...lines, 'END:VCALENDAR', ''].join('\r\n');

/** The lines of a task in a calendar. */
export const todo = (uid: string, ...lines: string[]): string[] => [
  ...['BEGIN:VTODO', `UID:${uid}`, 'SUMMARY:x'],
  ...lines,
  'END:VTODO',
];

/** The lines of a time zone whose offset never changes. */
export const fixedZone = (tzid: string, offset: string): string[] => [
  ...['BEGIN:VTIMEZONE', `TZID:${tzid}`, 'BEGIN:STANDARD', 'DTSTART:19700101T000000'],
  ...[`TZOFFSETFROM:${offset}`, `TZOFFSETTO:${offset}`, 'END:STANDARD', 'END:VTIMEZONE'],
];

/** The first line of a Todoist export. */
export const todoistHeader = 'TYPE,CONTENT,DESCRIPTION,PRIORITY,INDENT,AUTHOR,RESPONSIBLE,DATE,DATE_LANG,TIMEZONE';
