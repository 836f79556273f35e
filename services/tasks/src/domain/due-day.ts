import { fieldsOf } from '#libs/fields';

/** A calendar day in a time zone. A task with a due day is due at its end. */
export interface DueDay {
  /** "2026-03-29" */
  date: string;
  /** IANA: "Europe/Berlin" */
  zone: string;
}

/** The beginning of the next day, which is not midnight in every zone. */
export function endOfDay({ date, zone }: DueDay): Date {
  const next = Temporal.PlainDate.from(date).add({ days: 1 }).toZonedDateTime(zone);
  return new Date(next.epochMilliseconds);
}

const { minTime, endTime } = fieldsOf('taskflow.tasks.v1.DueDay').rule('date');
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
/** In every zone, the last day ends within the range of timestamps. */
export const [firstDay, lastDay] = [dayOf(Number(minTime)), dayOf(Number(endTime) - 1)] as const;

export function isDueDate(date: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date) || date < firstDay || date > lastDay) return false;
  return !Number.isNaN(Date.parse(date)) && new Date(date).toISOString().startsWith(date);
}
