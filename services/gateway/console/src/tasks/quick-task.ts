import { TaskPriority } from '#client/tasks';
import { addDays, weekdayOf } from './days.ts';

/** What a line of quick add says. */
export interface QuickTask {
  title: string;
  priority?: TaskPriority;
  labels: string[];
  /** What stands behind @: an e-mail, or the beginning of a name. */
  person?: string;
  /** "2026-12-01" */
  dueDay?: string;
  /** "17:00", on the day. */
  dueTime?: string;
}

const priorities: Readonly<Record<string, TaskPriority>> = {
  low: TaskPriority.LOW,
  medium: TaskPriority.MEDIUM,
  high: TaskPriority.HIGH,
  urgent: TaskPriority.URGENT,
};

const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const isDay = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.startsWith(text) === true;

/** "fri" is the next Friday that is not today. */
function dayOfWord(word: string, today: string): string | undefined {
  if (isDay(word)) return word;
  const fixed: Record<string, number> = { today: 0, tod: 0, tomorrow: 1, tom: 1, week: 7 };
  const days = fixed[word] ?? /^\+?(\d{1,3})d$/.exec(word)?.[1];
  if (days !== undefined) return addDays(today, Number(days));
  const weekday = word.length < 3 ? -1 : weekdays.findIndex((name) => word.startsWith(name));
  return weekday < 0 ? undefined : addDays(today, ((weekday - weekdayOf(today) + 6) % 7) + 1);
}

/** "17:00", "9:30", "17"; as hours of a day. */
function timeOfWord(word: string): string | undefined {
  const [, hours, minutes = '00'] = /^(\d{1,2})(?::(\d\d))?$/.exec(word) ?? [];
  if (hours === undefined || Number(hours) > 23 || Number(minutes) > 59) return undefined;
  return `${hours.padStart(2, '0')}:${minutes}`;
}

/** "fri", "fri@17:00", "tomorrow@9". */
export function parseDue(text: string, today: string): Pick<QuickTask, 'dueDay' | 'dueTime'> | undefined {
  const [dayWord = '', timeWord] = text.toLowerCase().split('@', 2);
  const dueDay = dayOfWord(dayWord, today);
  const dueTime = timeWord === undefined ? undefined : timeOfWord(timeWord);
  if (dueDay === undefined || (timeWord !== undefined && dueTime === undefined)) return undefined;
  return { dueDay, ...(dueTime !== undefined && { dueTime }) };
}

/** Reads one word into the task. False for a word of the title. */
function readWord(word: string, task: QuickTask, today: string): boolean {
  const rest = word.slice(1);
  if (word.startsWith('!')) {
    const priority = priorities[rest.toLowerCase()];
    if (priority !== undefined) task.priority = priority;
    return priority !== undefined;
  }
  if (word.startsWith('#') && rest !== '') {
    if (!task.labels.includes(rest)) task.labels.push(rest);
    return true;
  }
  if (word.startsWith('@') && rest !== '') {
    task.person = rest;
    return true;
  }
  const due = /^due:(.+)$/i.exec(word)?.[1];
  return due !== undefined && Object.assign(task, parseDue(due, today)).dueDay !== undefined;
}

/**
 * Reads a line such as "Write the notes !high #docs @ada@example.com due:fri@17:00". What says nothing of these is the
 * title, in its order.
 */
export function parseQuickTask(line: string, today: string): QuickTask {
  const task: QuickTask = { title: '', labels: [] };
  const words = line.trim().split(/\s+/);
  task.title = words.filter((word) => word !== '' && !readWord(word, task, today)).join(' ');
  return task;
}
