import { Unreadable } from './file-task.ts';

/** A time of 3.3.5 without its zone. Throws Unreadable for a day or time that does not exist. */
export function readLocal(value: string, what: string): Temporal.PlainDateTime {
  const [, year, month, day, hour = '00', minute = '00', second = '00'] =
    /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2}))?$/.exec(value.trim()) ?? [];
  if (year === undefined) throw new Unreadable(`${what} "${value}" is not a time like 20261130T150000`);
  try {
    return Temporal.PlainDateTime.from(`${year}-${month}-${day}T${hour}:${minute}:${second}`);
  } catch {
    throw new Unreadable(`${what} "${value}" is a day or a time that does not exist`);
  }
}

/** A duration of 3.3.6: calendar days, and hours of elapsed time. */
export function readDuration(value: string): Temporal.Duration {
  const text = value.trim().toUpperCase();
  try {
    if (/^[+-]?P(\d+W|(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?)$/.test(text)) return Temporal.Duration.from(text);
  } catch {
    // Refused below.
  }
  throw new Unreadable(`DURATION "${value}" is not a duration like PT90M`);
}
