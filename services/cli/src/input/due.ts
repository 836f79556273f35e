import { timestampFromDate, type MessageInitShape } from '#client/index';
import type { TaskSchema } from '#client/tasks';
import { UsageError } from '../faults.ts';

type Due = NonNullable<MessageInitShape<typeof TaskSchema>['due']>;

export const dueHelp =
  '2026-12-24, today, tomorrow, fri (the next one after today), +3d or +2w for a day; with a time behind it, such ' +
  'as "fri 17:00", or +2h or RFC 3339 for a moment';

const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

/** Units of days and of moments. "m" could be months or minutes, so it is none. */
const dayUnits: Readonly<Record<string, number>> = { d: 1, w: 7 };
const momentUnits: Readonly<Record<string, number>> = { min: 60, h: 3600 };

function findWeekday(word: string, today: Temporal.PlainDate): Temporal.PlainDate | undefined {
  const index = weekdays.findIndex((name) => name === word || name.slice(0, 3) === word);
  if (index < 0) return undefined;
  return today.add({ days: ((index + 1 - today.dayOfWeek + 6) % 7) + 1 });
}

function findDay(word: string, today: Temporal.PlainDate): Temporal.PlainDate | undefined {
  if (word === 'today') return today;
  if (word === 'tomorrow') return today.add({ days: 1 });
  const [, count, unit = ''] = /^\+(\d{1,4})(d|w)$/.exec(word) ?? [];
  if (count !== undefined) return today.add({ days: Number(count) * (dayUnits[unit] ?? 0) });
  if (!/^\d{4}-\d{2}-\d{2}$/.test(word)) return findWeekday(word, today);
  try {
    return Temporal.PlainDate.from(word, { overflow: 'reject' });
  } catch {
    throw new UsageError(`--due ${word}: there is no such day`);
  }
}

const toDueTime = (at: Temporal.Instant): Due => ({
  case: 'dueTime',
  value: timestampFromDate(new Date(at.epochMilliseconds)),
});

/** "17:00" of a day in a zone. A time that a change of clocks leaves out, or has twice, is refused. */
function atTime(day: Temporal.PlainDate, time: string, { text, zone }: { text: string; zone: string }): Due {
  try {
    const local = Temporal.PlainDateTime.from(`${day.toString()}T${time}`, { overflow: 'reject' });
    return toDueTime(local.toZonedDateTime(zone, { disambiguation: 'reject' }).toInstant());
  } catch {
    throw new UsageError(`--due ${text}: there is no such time in ${zone}, or it comes twice`);
  }
}

function findMoment(text: string, now: Temporal.Instant): Due | undefined {
  const [, count, unit = ''] = /^\+(\d{1,4})(min|h)$/.exec(text) ?? [];
  if (count !== undefined) return toDueTime(now.add({ seconds: Number(count) * (momentUnits[unit] ?? 0) }));
  // RFC 3339 says its offset.
  if (!/^\d{4}-\d{2}-\d{2}[t ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(z|[+-]\d{2}:\d{2})$/.test(text)) return undefined;
  try {
    return toDueTime(Temporal.Instant.from(text.toUpperCase()));
  } catch {
    throw new UsageError(`--due ${text}: there is no such time`);
  }
}

export interface DueClock {
  zone: string;
  now?: Temporal.Instant;
}

/** What a user means by a due time. Throws UsageError for what could mean two things. */
export function readDue(typed: string, { zone, now = Temporal.Now.instant() }: DueClock): Due {
  const text = typed.trim().toLowerCase().replaceAll(/\s+/g, ' ');
  const moment = findMoment(text, now);
  if (moment !== undefined) return moment;
  const today = now.toZonedDateTimeISO(zone).toPlainDate();
  const [, dayWord = '', time] = /^(\S+?)(?:[ t](\d{2}:\d{2}(?::\d{2})?))?$/.exec(text) ?? [];
  const day = findDay(dayWord, today);
  if (day === undefined) throw new UsageError(`--due ${typed}: is not clear; say ${dueHelp}`);
  if (time !== undefined) return atTime(day, time, { text: typed, zone });
  const { year, month, day: number } = day;
  return { case: 'dueDay', value: { date: { year, month, day: number }, timeZone: zone } };
}

/** `none` takes the due time away. */
export const readNewDue = (typed: string, clock: DueClock): Due =>
  typed.trim().toLowerCase() === 'none' ? { case: undefined } : readDue(typed, clock);
