/** Days as people count them, "2026-12-01", and moments in a person's time zone. */

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Making one costs a hundred times as much as using it. */
export function formatter(timeZone: string, options: Intl.DateTimeFormatOptions, locale?: string): Intl.DateTimeFormat {
  const key = JSON.stringify([timeZone, options, locale]);
  const known = formatters.get(key);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(locale, { ...options, timeZone });
  formatters.set(key, made);
  return made;
}

const fieldsOfDay = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;

export const dayOf = (ms: number, timeZone: string): string => formatter(timeZone, fieldsOfDay, 'en-CA').format(ms);

/** Midnight of the day in UTC: to count with, and to be formatted in UTC. */
export const utcOf = (day: string): number => Date.parse(`${day}T00:00:00Z`);

export const addDays = (day: string, days: number): string =>
  new Date(utcOf(day) + days * dayMs).toISOString().slice(0, 10);

export const daysBetween = (from: string, to: string): number => Math.round((utcOf(to) - utcOf(from)) / dayMs);

/** 0 is Sunday. */
export const weekdayOf = (day: string): number => new Date(utcOf(day)).getUTCDay();

const wallFields = {
  ...fieldsOfDay,
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
} as const;

/** How far the clocks of the zone are ahead of UTC. */
function offsetMs(ms: number, timeZone: string): number {
  const parts = formatter(timeZone, wallFields, 'en-US').formatToParts(ms);
  const read = (type: string): string => parts.find((part) => part.type === type)?.value ?? '00';
  const wall = `${read('year')}-${read('month')}-${read('day')}T${read('hour')}:${read('minute')}:${read('second')}Z`;
  return Date.parse(wall) - Math.floor(ms / 1000) * 1000;
}

/** When the clocks of the zone show a time, such as "17:00"; a time that they leave out is an hour later. */
export function momentOf(day: string, time: string, timeZone: string): number {
  const wall = Date.parse(`${day}T${time}:00Z`);
  const guess = wall - offsetMs(wall, timeZone);
  return wall - offsetMs(guess, timeZone);
}

export const timeOfDay = (ms: number, timeZone: string): string =>
  formatter(timeZone, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }, 'en-GB').format(ms);

const isThisYear = (day: string, today: string): boolean => day.slice(0, 4) === today.slice(0, 4);

/** "Today", "Tomorrow", "Fri", "1 Dec", "1 Dec 2027". */
export function dayInWords(day: string, today: string): string {
  const distance = daysBetween(today, day);
  const near: Record<number, string> = { [-1]: 'Yesterday', 0: 'Today', 1: 'Tomorrow' };
  const word = near[distance];
  if (word !== undefined) return word;
  if (distance > 1 && distance < 7) return formatter('UTC', { weekday: 'long' }, 'en').format(utcOf(day));
  const year = isThisYear(day, today) ? {} : ({ year: 'numeric' } as const);
  return formatter('UTC', { day: 'numeric', month: 'short', ...year }, 'en-GB').format(utcOf(day));
}

/** As it stands within a sentence: "today", but "Friday". */
export const inSentence = (day: string): string =>
  day.replace(/^(Today|Tomorrow|Yesterday)\b/, (word) => word.toLowerCase());

const steps = [
  { upToMs: 45_000, unit: undefined, ms: 1 },
  { upToMs: 45 * minuteMs, unit: 'minute', ms: minuteMs },
  { upToMs: 22 * 60 * minuteMs, unit: 'hour', ms: 60 * minuteMs },
  { upToMs: 26 * dayMs, unit: 'day', ms: dayMs },
  { upToMs: 320 * dayMs, unit: 'month', ms: 30.4 * dayMs },
  { upToMs: Infinity, unit: 'year', ms: 365.2 * dayMs },
] as const;

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** "3 minutes ago", "in 2 days". */
export function distanceInWords(ms: number, now: number): string {
  const step = steps.find(({ upToMs }) => Math.abs(ms - now) < upToMs);
  if (step?.unit === undefined) return ms > now + 5000 ? 'in a moment' : 'just now';
  return relative.format(Math.round((ms - now) / step.ms), step.unit);
}
