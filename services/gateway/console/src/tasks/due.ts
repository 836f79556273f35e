import { create } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { DueDaySchema, type Task } from '#client/tasks';
import { dayInWords, dayOf, daysBetween, momentOf, timeOfDay } from './days.ts';
import { isOpen } from './words.ts';

type Due = Task['due'];

const pad = (number: number, digits: number): string => String(number).padStart(digits, '0');

/** The day of a due date; of a due time, the day in the viewer's zone. */
export function dueDayOf({ due }: Pick<Task, 'due'>, timeZone: string): string | undefined {
  if (due.case === 'dueTime') return dayOf(timestampMs(due.value), timeZone);
  const date = due.case === 'dueDay' ? due.value.date : undefined;
  return date && `${pad(date.year, 4)}-${pad(date.month, 2)}-${pad(date.day, 2)}`;
}

/** "17:00" in the viewer's zone; undefined for a whole day. */
export const dueTimeOf = ({ due }: Pick<Task, 'due'>, timeZone: string): string | undefined =>
  due.case === 'dueTime' ? timeOfDay(timestampMs(due.value), timeZone) : undefined;

/** A whole day ends with the day in the person's zone; a time is a moment. */
export function toDue(day: string, time: string | undefined, timeZone: string): Due {
  if (day === '') return { case: undefined };
  if (time !== undefined && time !== '')
    return { case: 'dueTime', value: timestampFromMs(momentOf(day, time, timeZone)) };
  const [year = 0, month = 0, dayOfMonth = 0] = day.split('-').map(Number);
  const date = { year, month, day: dayOfMonth };
  return { case: 'dueDay', value: create(DueDaySchema, { date, timeZone }) };
}

export interface DueInWords {
  text: string;
  tone: 'late' | 'soon' | 'later';
}

export function describeDue(
  task: Task,
  { timeZone, today }: { timeZone: string; today: string },
): DueInWords | undefined {
  const day = dueDayOf(task, timeZone);
  if (day === undefined) return undefined;
  const time = dueTimeOf(task, timeZone);
  const text = [dayInWords(day, today), time].filter(Boolean).join(', ');
  if (!isOpen(task.status)) return { text, tone: 'later' };
  const isPast = task.effectiveDueTime !== undefined && timestampMs(task.effectiveDueTime) <= Date.now();
  if (task.overdue || isPast) return { text, tone: 'late' };
  return { text, tone: daysBetween(today, day) <= 1 ? 'soon' : 'later' };
}

export type DueGroup = 'Overdue' | 'Today' | 'Next 7 days' | 'Later' | 'No due date' | 'Closed';

/** The part of a list by due date that a task stands in. */
export function dueGroupOf(task: Task, { timeZone, today }: { timeZone: string; today: string }): DueGroup {
  if (!isOpen(task.status)) return 'Closed';
  const due = describeDue(task, { timeZone, today });
  const day = dueDayOf(task, timeZone);
  if (due === undefined || day === undefined) return 'No due date';
  if (due.tone === 'late') return 'Overdue';
  const distance = daysBetween(today, day);
  if (distance <= 0) return 'Today';
  return distance < 7 ? 'Next 7 days' : 'Later';
}
