import type { TaskPriority, TaskStatus } from '#client/tasks';
import { findTimeZone } from '#libs/errors';
import { isDueDate } from '../src/domain/due-day.ts';

/** When a task is due: at an instant, or at the end of a day in a zone. */
export type FileDue = { time: Date } | { date: string; zone: string };

/** The fields of a task that files and the service have in common. */
export interface FileTask {
  title: string;
  description: string;
  status: TaskStatus;
  priority: TaskPriority;
  due: FileDue | undefined;
  labels: string[];
}

/** A task of the service, as files hold it. */
export interface StoredTask extends FileTask {
  id: string;
  externalId: string;
  createTime: Date | undefined;
  updateTime: Date | undefined;
  completeTime: Date | undefined;
}

/** A task that was read from a file. */
export interface ImportedTask extends FileTask {
  /** The place in the file, to append to its name: ":12" or ":12: UID 7f3a". */
  place: string;
  /** The same in every reading of the entry. */
  externalId: string;
  /** The id of the task that TaskFlow exported; undefined for an entry of another program. */
  taskId: string | undefined;
  /** The owner was the assignee. */
  isOwnAssignment?: boolean;
}

/** A message about an entry, such as why it is skipped. */
export interface Notice {
  place: string;
  problem: string;
}

/** What a reader finds, in the order of the file: a task, a skipped entry, or what a task is imported without. */
export type FileEntry = { task: ImportedTask } | { skipped: Notice } | { remark: Notice };

/** Each call reads the bytes of a file from the beginning. */
export type FileSource = () => AsyncIterable<Uint8Array>;

export interface ReadOptions {
  /** For days and local times without a zone. */
  zone: string;
}

/** The file does not have its format, so nothing of it is imported. */
export class BrokenFile extends Error {
  override readonly name = 'BrokenFile';
}

/** An entry is invalid. Thrown and caught within a reader. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
  /** The line of the fault, when it is not the first of the entry. */
  readonly line: number | undefined;
  constructor(message: string, line?: number) {
    super(message);
    this.line = line;
  }
}

/** Reads an entry. An invalid one becomes a skipped entry, so that the others are still read. */
export function readEntry(place: string, read: () => Omit<ImportedTask, 'place'>): FileEntry {
  try {
    return { task: { place, ...read() } };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return {
      skipped: { place, problem: error.line === undefined ? error.message : `${error.message} (line ${error.line})` },
    };
  }
}

const maxTitle = 200;

/** A text that is too long for a title is also put in full at the beginning of the description. */
export function fitTitle(text: string, description: string): Pick<FileTask, 'title' | 'description'> {
  const title = text.replaceAll(/[\t\r\n]+/g, ' ').trim();
  const characters = [...title];
  if (characters.length <= maxTitle) return { title, description };
  return {
    title: `${characters.slice(0, maxTitle - 1).join('')}…`,
    description: description === '' ? title : `${title}\n\n${description}`,
  };
}

export function requireDay(text: string, what: string): string {
  if (!isDueDate(text)) throw new Unreadable(`${what} "${text}" is not a date like 2026-11-30`);
  return text;
}

export function requireZone(name: string, what: string): string {
  const zone = findTimeZone(name);
  if (zone === undefined) throw new Unreadable(`${what} "${name}" is not a time zone like Europe/Berlin`);
  return zone;
}

/**
 * `time` is "15:00", optionally with seconds and a fraction. A time in a gap is counted from before the gap; of a time that comes
 * twice, the first is taken (RFC 5545, 3.3.5). The leap second 60 is taken as 59 (3.3.12).
 */
export function atLocalTime(date: string, time: string, zone: string): Date {
  try {
    return new Date(Temporal.PlainDateTime.from(`${date}T${time}`).toZonedDateTime(zone).epochMilliseconds);
  } catch {
    throw new Unreadable(`"${date} ${time}" is a day or a time that does not exist`);
  }
}
