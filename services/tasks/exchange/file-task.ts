import { createHash } from 'node:crypto';
import type { TaskPriority, TaskStatus } from '#contract/tasks/v1/tasks';
import { findZone, isDueDate } from '../src/domain/due-day.ts';

/** When a task is due: at an instant, or at the end of a day in a zone. */
export type FileDue = { time: Date } | { date: string; zone: string };

/** What files and the service both know of a task. */
export interface FileTask {
  title: string;
  description: string;
  status: TaskStatus;
  priority: TaskPriority;
  due: FileDue | undefined;
  labels: string[];
}

/** A task as it was read. */
export interface ImportedTask extends FileTask {
  /** Where it stands in the file, behind the file's name: ":12", or ": UID 7f3a". */
  place: string;
  /** The same whenever the same entry is read again. */
  externalId: string;
}

/** An entry that cannot be a task, or that the service refused. */
export interface Malformed {
  place: string;
  problem: string;
}

export interface TaskFile {
  tasks: ImportedTask[];
  malformed: Malformed[];
}

export interface ReadOptions {
  /** For days and local times that name no zone of their own. */
  zone: string;
}

/** The whole file is not of its format: nothing of it can be trusted. */
export class BrokenFile extends Error {
  override readonly name = 'BrokenFile';
}

/** One entry cannot be understood; thrown and caught within a reader. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

/** Reads an entry; what is wrong with it never keeps the others from being read. */
export function readEntry(file: TaskFile, place: string, read: () => Omit<ImportedTask, 'place'>): void {
  try {
    file.tasks.push({ place, ...read() });
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    file.malformed.push({ place, problem: error.message });
  }
}

/** Gives identical entries different ids, by their number, and the same entry the same one in every reading. */
export function createContentIds(format: string): (content: string) => string {
  const seen = new Map<string, number>();
  return (content) => {
    const occurrence = seen.get(content) ?? 0;
    seen.set(content, occurrence + 1);
    return `${format}:${createHash('sha256').update(`${occurrence}\n${content}`).digest('hex').slice(0, 40)}`;
  };
}

const maxTitle = 200;

/** What does not fit into the title stands whole at the beginning of the description. */
export function fitTitle(text: string, description: string): Pick<FileTask, 'title' | 'description'> {
  const title = text.replaceAll(/[\t\r\n]+/g, ' ').trim();
  const characters = [...title];
  if (characters.length <= maxTitle) return { title, description };
  return { title: `${characters.slice(0, maxTitle - 1).join('')}…`, description: description === '' ? title : `${title}\n\n${description}` };
}

export function requireDay(text: string, what: string): string {
  if (!isDueDate(text)) throw new Unreadable(`${what} "${text}" is not a date like 2026-11-30`);
  return text;
}

export function requireZone(name: string, what: string): string {
  const zone = findZone(name);
  if (zone === undefined) throw new Unreadable(`${what} "${name}" is not a time zone like Europe/Berlin`);
  return zone;
}

/** `time` is "15:00" with or without seconds and their fraction. */
export function atLocalTime(date: string, time: string, zone: string): Date {
  try {
    return new Date(Temporal.PlainDateTime.from(`${date}T${time}`).toZonedDateTime(zone).epochMilliseconds);
  } catch {
    throw new Unreadable(`"${time}" is not a time of day`);
  }
}
