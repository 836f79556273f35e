import { endOfDay } from './due-day.ts';
import { incompleteDueDay } from './task.errors.ts';

/** When a task is due: not at all, at an instant, or at the end of a day in a zone, which then is the due time. */
export interface Due {
  dueTime: Date | null;
  dueDate: string | null;
  dueZone: string | null;
}

/** Throws when only one half of a day is there. With a day, `dueTime` does not count. */
export function toDue({ dueTime, dueDate, dueZone }: Due): Due {
  if (dueDate === null && dueZone === null) return { dueTime, dueDate, dueZone };
  if (dueDate === null || dueZone === null) throw incompleteDueDay();
  return { dueTime: endOfDay({ date: dueDate, zone: dueZone }), dueDate, dueZone };
}

/** What named fields make of it: an instant takes the place of a day, a day that of an instant; one half of a day keeps the other. */
export function dueAfter(now: Due, { dueTime, dueDate, dueZone }: Partial<Due>): Due {
  if (typeof dueDate === 'string') return toDue({ dueTime: null, dueDate, dueZone: dueZone === undefined ? now.dueZone : dueZone });
  if (dueTime !== undefined) return toDue({ dueTime, dueDate: null, dueZone: dueZone ?? null });
  // A day that goes takes its due time with it; an instant stays.
  if (dueDate === null) return toDue({ dueTime: now.dueDate === null ? now.dueTime : null, dueDate, dueZone: dueZone ?? null });
  return dueZone === undefined ? now : toDue({ ...now, dueZone });
}
