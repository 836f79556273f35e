import { timestampDate, type Timestamp } from '#client/index';
import type { Task } from '#client/tasks';

const two = (value: number): string => String(value).padStart(2, '0');

/** 2026-12-24 17:00 in a time zone. */
export function showTime(time: Timestamp | undefined, zone: string): string {
  if (time === undefined) return '';
  const at = Temporal.Instant.fromEpochMilliseconds(timestampDate(time).getTime()).toZonedDateTimeISO(zone);
  return `${at.toPlainDate().toString()} ${two(at.hour)}:${two(at.minute)}`;
}

/** A day when the task is due in the course of one, else a time. */
export function showDue({ due }: Task, zone: string): string {
  if (due.case === 'dueTime') return showTime(due.value, zone);
  if (due.case !== 'dueDay') return '';
  const { year = 0, month = 0, day = 0 } = due.value.date ?? {};
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
}
