import { TaskPriority, TaskStatus } from '#client/tasks';
import { createContentIds, idOfTask, type EntryId } from './file-ids.ts';
import { decodeLine, readLines } from './file-lines.ts';
import {
  atLocalTime,
  fitTitle,
  readEntry,
  requireDay,
  Unreadable,
  type FileDue,
  type FileEntry,
  type FileSource,
  type FileTask,
  type ReadOptions,
} from './file-task.ts';
import { splitMarks } from './marked-words.ts';
import { isTodoTxtMark, isZoneKey, todoTxtKeys } from './todo-txt-marks.ts';

/** A is the most urgent. Lines without a priority are medium. */
function toPriority(letter: string | undefined): TaskPriority {
  if (letter === undefined) return TaskPriority.MEDIUM;
  return (
    ({ A: TaskPriority.URGENT, B: TaskPriority.HIGH, C: TaskPriority.MEDIUM } as const)[letter] ?? TaskPriority.LOW
  );
}

interface Beginning {
  completed: boolean;
  priority: string | undefined;
  text: string;
}

/** Splits off what comes before the text: "x", "(A)", completion and creation date. */
function readBeginning(line: string): Beginning {
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
  return { completed, priority, text: rest };
}

function readLabels(words: readonly string[]): string[] {
  const projects = words.filter((word) => word.startsWith('+')).map((word) => word.slice(1));
  const contexts = words.filter((word) => word.startsWith('@'));
  return [...new Set([...projects, ...contexts])];
}

/** The value of a key; undefined when the line does not have it. */
function readKey(words: readonly string[], key: string): string | undefined {
  const [value, ...others] = words.filter((word) => word.startsWith(key)).map((word) => word.slice(key.length));
  if (others.length > 0) throw new Unreadable(`more than one ${key}`);
  return value;
}

const instant = /^(\d{4}-\d{2}-\d{2})T([\d:.]+)(Z|[+-]\d{2}:\d{2})?$/;

function readDue(words: readonly string[], { zone: fallback }: ReadOptions): FileDue | undefined {
  const text = readKey(words, todoTxtKeys.due);
  if (text === undefined) return undefined;
  const zone = readKey(words.filter(isZoneKey), todoTxtKeys.zone) ?? fallback;
  const [, date, time, offset] = instant.exec(text) ?? [];
  if (date === undefined || time === undefined) return { date: requireDay(text, 'the due date'), zone };
  return { time: atLocalTime(date, time, offset === undefined ? zone : offset === 'Z' ? 'UTC' : offset) };
}

function readStatus(words: readonly string[], completed: boolean): TaskStatus {
  if (words.includes(todoTxtKeys.inProgress)) return TaskStatus.IN_PROGRESS;
  if (words.includes(todoTxtKeys.cancelled)) return TaskStatus.CANCELLED;
  return completed ? TaskStatus.COMPLETED : TaskStatus.PENDING;
}

function readTask(source: string, options: ReadOptions): FileTask & { taskId: string | undefined } {
  if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(source)) throw new Unreadable('control characters');
  const { completed, priority, text } = readBeginning(source);
  const { text: title, marks } = splitMarks(text, isTodoTxtMark);
  if (title === '') throw new Unreadable('no text');
  return {
    ...fitTitle(title, ''),
    status: readStatus(marks, completed),
    priority: toPriority(priority ?? readKey(marks, todoTxtKeys.priority)),
    due: readDue(marks, options),
    labels: readLabels(marks),
    taskId: readKey(marks, todoTxtKeys.task),
  };
}

/** Reads a file in the format of https://github.com/todotxt/todo.txt. Skips empty lines. */
export async function* readTodoTxt(source: FileSource, options: ReadOptions): AsyncGenerator<FileEntry> {
  const idOf = createContentIds('todo.txt');
  for await (const line of readLines(source)) {
    if (line.bytes.trim() === '') continue;
    yield readEntry(`:${line.number}`, () => {
      const text = decodeLine(line).trim();
      const { taskId, ...task } = readTask(text, options);
      const id: EntryId = taskId === undefined ? idOf(text) : idOfTask(taskId);
      return { ...task, ...id };
    });
  }
}
