import { createHash } from 'node:crypto';

/** A task as a line of a todo.txt file describes it (https://github.com/todotxt/todo.txt). */
export interface ImportedTask {
  /** Counted from 1. */
  line: number;
  /** The same for the same line, whenever the file is read; identical lines are told apart by their number. */
  externalId: string;
  title: string;
  description: string;
  completed: boolean;
  priority: 'LOW' | 'MEDIUM' | 'HIGH' | 'URGENT';
  /** The end of the due day in UTC. */
  dueTime: Date | undefined;
  labels: string[];
}

export interface MalformedLine {
  line: number;
  problem: string;
}

export interface TodoTxt {
  tasks: ImportedTask[];
  malformed: MalformedLine[];
}

const maxTitle = 200;
const maxDescription = 10_000;
const maxLabels = 20;
const maxLabel = 50;
const datePattern = /^\d{4}-\d{2}-\d{2}$/;

class Malformed extends Error {}

/** The day as an instant, at midnight in UTC. Days that no calendar has, such as 2026-02-30, are refused. */
function parseDay(text: string, what: string): Date {
  const day = new Date(`${text}T00:00:00.000Z`);
  if (!datePattern.test(text) || Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== text) {
    throw new Malformed(`${what} "${text}" is not a date like 2026-11-30`);
  }
  return day;
}

function endOf(day: Date): Date {
  return new Date(day.getTime() + 86_400_000 - 1);
}

/** A is the most important; lines without a priority are in the middle. */
function toPriority(letter: string | undefined): ImportedTask['priority'] {
  if (letter === undefined) return 'MEDIUM';
  return ({ A: 'URGENT', B: 'HIGH', C: 'MEDIUM' } as const)[letter] ?? 'LOW';
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
    parseDay(date, 'the date');
    rest = rest.slice(date.length + 1);
  }
  return { completed, priority, text: rest.trim() };
}

function readLabels(words: readonly string[]): string[] {
  const projects = words.filter((word) => /^\+\S/.test(word)).map((word) => word.slice(1));
  const contexts = words.filter((word) => /^@\S/.test(word));
  const labels = [...new Set([...projects, ...contexts])];
  const long = labels.find((label) => [...label].length > maxLabel);
  if (long !== undefined) throw new Malformed(`a label has more than ${maxLabel} characters`);
  if (labels.length > maxLabels) throw new Malformed(`more than ${maxLabels} labels`);
  return labels;
}

function readDue(words: readonly string[]): Date | undefined {
  const due = words.filter((word) => word.startsWith('due:')).map((word) => word.slice('due:'.length));
  if (due.length > 1) throw new Malformed('more than one due date');
  return due[0] === undefined ? undefined : endOf(parseDay(due[0], 'the due date'));
}

/** What does not fit into the title stands whole in the description. */
function split(text: string): { title: string; description: string } {
  const characters = [...text];
  if (characters.length > maxDescription) throw new Malformed(`more than ${maxDescription} characters`);
  if (characters.length <= maxTitle) return { title: text, description: '' };
  return { title: `${characters.slice(0, maxTitle - 1).join('')}…`, description: text };
}

function isMark(word: string): boolean {
  return /^[+@]\S/.test(word) || word.startsWith('due:');
}

function parseLine(source: string, line: number, externalId: string): ImportedTask {
  if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffd]/.test(source)) throw new Malformed('control characters or broken UTF-8');
  const { completed, priority, text } = readMarks(source);
  const words = text.split(/\s+/).filter((word) => word !== '');
  const title = words.filter((word) => !isMark(word)).join(' ');
  if (title === '') throw new Malformed('no text');
  return { line, externalId, ...split(title), completed, priority: toPriority(priority), dueTime: readDue(words), labels: readLabels(words) };
}

function toExternalId(source: string, occurrence: number): string {
  return `todo.txt:${createHash('sha256').update(`${occurrence}\n${source}`).digest('hex').slice(0, 40)}`;
}

/** Reads a whole file. Empty lines are passed over; a malformed line never keeps the others from being read. */
export function parseTodoTxt(content: string): TodoTxt {
  const result: TodoTxt = { tasks: [], malformed: [] };
  const seen = new Map<string, number>();
  for (const [index, raw] of content.replace(/^\ufeff/, '').split(/\r?\n/).entries()) {
    const source = raw.trim();
    if (source === '') continue;
    const occurrence = seen.get(source) ?? 0;
    seen.set(source, occurrence + 1);
    try {
      result.tasks.push(parseLine(source, index + 1, toExternalId(source, occurrence)));
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      result.malformed.push({ line: index + 1, problem: error.message });
    }
  }
  return result;
}
