import type { Task } from '#contract/tasks/v1/tasks';
import { toDueDayMessage } from '../src/domain/due.ts';
import type { FileDue } from './file-task.ts';

export function toTaskDue(due: FileDue | undefined): Task['due'] {
  if (due === undefined) return undefined;
  return 'time' in due ? { $case: 'dueTime', value: due.time } : { $case: 'dueDay', value: toDueDayMessage(due) };
}

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');

export function toFileDue({ due }: Pick<Task, 'due'>): FileDue | undefined {
  if (due === undefined) return undefined;
  if (due.$case === 'dueTime') return { time: due.value };
  const { date: { year, month, day } = { year: 0, month: 0, day: 0 }, timeZone } = due.value;
  return { date: `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`, zone: timeZone };
}
