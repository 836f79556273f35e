import type { DueDay as DueDayMessage, Task } from '#contract/tasks/v1/tasks';
import { endOfDay, type DueDay } from './due-day.ts';

/** When a task is due, as clients set it: at an instant, at the end of a day, or neither. */
export interface DueInput {
  dueTime: Date | null;
  dueDay: DueDay | null;
}

/** When a task is due, as it is stored: never, at an instant, or on a day in a zone, whose end is the due time. */
export interface Due {
  dueTime: Date | null;
  dueDate: string | null;
  dueZone: string | null;
}

/** A day takes precedence over `dueTime`. */
export function toDue({ dueTime, dueDay }: DueInput): Due {
  if (dueDay === null) return { dueTime, dueDate: null, dueZone: null };
  return { dueTime: endOfDay(dueDay), dueDate: dueDay.date, dueZone: dueDay.zone };
}

/** Applies the fields of an update. An instant replaces a day, and a day replaces an instant. */
export function dueAfter(now: Due, { dueTime, dueDay }: Partial<DueInput>): Due {
  if (dueDay) return toDue({ dueTime: null, dueDay });
  if (dueTime !== undefined) return toDue({ dueTime, dueDay: null });
  // Clearing the day also clears its due time. An instant stays.
  if (dueDay === null && now.dueDate !== null) return toDue({ dueTime: null, dueDay: null });
  return now;
}

/** The oneof of the message. */
export function toDueChoice({ dueTime, dueDate, dueZone }: Due): Task['due'] {
  if (dueDate !== null && dueZone !== null)
    return { $case: 'dueDay', value: toDueDayMessage({ date: dueDate, zone: dueZone }) };
  return dueTime === null ? undefined : { $case: 'dueTime', value: dueTime };
}

function toDueDayMessage({ date, zone }: DueDay): DueDayMessage {
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  return { date: { year, month, day }, timeZone: zone };
}
