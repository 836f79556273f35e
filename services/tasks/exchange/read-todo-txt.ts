import { TaskPriority, TaskStatus } from '#contract/tasks/v1/tasks';
import { findZone } from '../src/domain/due-day.ts';
import { atLocalTime, createContentIds, fitTitle, readEntry, requireDay, Unreadable, type FileDue, type FileTask, type ReadOptions, type TaskFile } from './file-task.ts';

/** Keys of ours, as todo.txt lets programs have them: what it has no place for. */
const statuses: Readonly<Record<string, TaskStatus>> = { 'status:in_progress': TaskStatus.IN_PROGRESS, 'status:cancelled': TaskStatus.CANCELLED };

/** A is the most important; lines without a priority are in the middle. */
function toPriority(letter: string | undefined): TaskPriority {
  if (letter === undefined) return TaskPriority.MEDIUM;
  return ({ A: TaskPriority.URGENT, B: TaskPriority.HIGH, C: TaskPriority.MEDIUM } as const)[letter] ?? TaskPriority.LOW;
}

interface Marks {
  completed: boolean;
  priority: string | undefined;
  text: string;
}

/** Takes off what stands before the text: "x", "(A)", completion and creation date. */
function readMarks(line: string): Marks {
  const completed = /^x /.test(line);
  let rest = completed ? line.slice(2) : line;
  const priority = /^\(([A-Z])\) /.exec(rest)?.[1];
  if (priority !== undefined) rest = rest.slice(4);
  for (let dates = completed ? 2 : 1; dates > 0; dates -= 1) {
    const date = /^(\d{4}-\d{2}-\d{2})(?: |$)/.exec(rest)?.[1];
    if (date === undefined) break;
    requireDay(date, 'the date');
    rest = rest.slice(date.length + 1);
  }
  return { completed, priority, text: rest.trim() };
}

function readLabels(words: readonly string[]): string[] {
  const projects = words.filter((word) => /^\+\S/.test(word)).map((word) => word.slice(1));
  const contexts = words.filter((word) => /^@\S/.test(word));
  return [...new Set([...projects, ...contexts])];
}

const instant = /^(\d{4}-\d{2}-\d{2})T([\d:.]+)(Z|[+-]\d{2}:\d{2})?$/;

function readDue(words: readonly string[], { zone: fallback }: ReadOptions): FileDue | undefined {
  const due = words.filter((word) => word.startsWith('due:')).map((word) => word.slice('due:'.length));
  if (due.length > 1) throw new Unreadable('more than one due date');
  const [text] = due;
  if (text === undefined) return undefined;
  const zone = words.filter(isZone).map((word) => word.slice('tz:'.length))[0] ?? fallback;
  const [, date, time, offset] = instant.exec(text) ?? [];
  if (date === undefined || time === undefined) return { date: requireDay(text, 'the due date'), zone };
  requireDay(date, 'the due date');
  return { time: atLocalTime(date, time, offset === undefined ? zone : offset === 'Z' ? 'UTC' : offset) };
}

function isZone(word: string): boolean {
  return word.startsWith('tz:') && findZone(word.slice('tz:'.length)) !== undefined;
}

function isMark(word: string): boolean {
  return /^[+@]\S/.test(word) || word.startsWith('due:') || /^pri:[A-Z]$/.test(word) || isZone(word) || Object.hasOwn(statuses, word);
}

function readLine(source: string, options: ReadOptions): FileTask {
  if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffd]/.test(source)) throw new Unreadable('control characters or broken UTF-8');
  const { completed, priority, text } = readMarks(source);
  const words = text.split(/\s+/).filter((word) => word !== '');
  const title = words.filter((word) => !isMark(word)).join(' ');
  if (title === '') throw new Unreadable('no text');
  const told = words.find((word) => Object.hasOwn(statuses, word));
  const letter = priority ?? /^pri:([A-Z])$/.exec(words.find((word) => /^pri:[A-Z]$/.test(word)) ?? '')?.[1];
  return {
    ...fitTitle(title, ''),
    status: (told === undefined ? undefined : statuses[told]) ?? (completed ? TaskStatus.COMPLETED : TaskStatus.PENDING),
    priority: toPriority(letter),
    due: readDue(words, options),
    labels: readLabels(words),
  };
}

/** Reads a file of the format that https://github.com/todotxt/todo.txt describes. Empty lines are passed over. */
export function readTodoTxt(content: string, options: ReadOptions): TaskFile {
  const file: TaskFile = { tasks: [], malformed: [] };
  const idOf = createContentIds('todo.txt');
  for (const [index, raw] of content.replace(/^\ufeff/, '').split(/\r?\n/).entries()) {
    const source = raw.trim();
    if (source === '') continue;
    const externalId = idOf(source);
    readEntry(file, `:${index + 1}`, () => ({ externalId, ...readLine(source, options) }));
  }
  return file;
}
