import { Cron } from 'croner';
import { momentOf } from './clock-time.ts';

/** When something repeats: by a cron expression in a zone, or by an interval counted from a moment. */
export type Timing = { cron: string; timeZone: string } | { intervalMs: number; anchor: Date };

/** Minute, hour, day of month, month, day of week: seconds and years, which the library would take too, are no part of the contract. */
const fiveFields = /^[0-9A-Za-z*,/#?-]+( [0-9A-Za-z*,/#?-]+){4}$/;

/** The calendar repeats itself, days of the week included, every 400 years. */
const cycleMs = 146_097 * 86_400_000;
const cycleStart = Date.UTC(2000, 0, 1);
/** The last millisecond of the year 9999, with which Timestamps end. */
const latestMs = 253_402_300_799_999;

/**
 * Asks the library for times of a calendar without a zone: what a change of the clock means is decided here. The library
 * knows no year from 3000 on, so it is asked for the same day of the present cycle.
 */
function nextClockTime(cron: string, after: number): number | undefined {
  const shiftMs = Math.floor((after - cycleStart) / cycleMs) * cycleMs;
  const next = new Cron(cron, { timezone: 'UTC', mode: '5-part' }).nextRun(new Date(after - shiftMs));
  return next === null ? undefined : next.getTime() + shiftMs;
}

/** A moment on its zone's clock, in milliseconds as if that clock stood on UTC. */
const onClock = (time: Temporal.ZonedDateTime): number => time.epochMilliseconds + time.offsetNanoseconds / 1_000_000;

/** Every moment at which the clock shows a time of the expression: from one change of the clock to the next. */
function nextMatch(cron: string, start: Temporal.ZonedDateTime): Date | undefined {
  let from = start;
  // Just before the moment from which on times count.
  let after = onClock(from);
  for (;;) {
    const clockTime = nextClockTime(cron, after);
    if (clockTime === undefined) return undefined;
    const moment = clockTime - from.offsetNanoseconds / 1_000_000;
    const change = from.getTimeZoneTransition('next');
    if (change === null || moment < change.epochMilliseconds) return new Date(moment);
    from = change;
    after = onClock(change) - 1;
  }
}

/** Every time of the expression, once. */
function nextFixedTime(cron: string, start: Temporal.ZonedDateTime): Date | undefined {
  for (
    let clockTime = nextClockTime(cron, onClock(start));
    clockTime !== undefined;
    clockTime = nextClockTime(cron, clockTime)
  ) {
    const moment = momentOf(
      Temporal.Instant.fromEpochMilliseconds(clockTime).toZonedDateTimeISO('UTC').toPlainDateTime(),
      start.timeZoneId,
    ).epochMilliseconds;
    // The second time of what was fired the first time, or another time in a gap that was.
    if (moment > start.epochMilliseconds) return new Date(moment);
  }
  return undefined;
}

/** A minute or an hour that is not fixed: "*", or a step of them. */
function isWildcard(cron: string): boolean {
  const [minute = '', hour = ''] = cron.split(' ');
  return /[*?]/.test(minute + hour);
}

function afterOf({ cron, timeZone }: { cron: string; timeZone: string }, after: Date): Date | undefined {
  const start = Temporal.Instant.fromEpochMilliseconds(after.getTime()).toZonedDateTimeISO(timeZone);
  return isWildcard(cron) ? nextMatch(cron, start) : nextFixedTime(cron, start);
}

function afterInterval({ intervalMs, anchor }: { intervalMs: number; anchor: Date }, after: Date): Date {
  const passed = Math.floor((after.getTime() - anchor.getTime()) / intervalMs);
  return new Date(anchor.getTime() + Math.max(0, passed + 1) * intervalMs);
}

/** The first fire time after a moment; undefined when there is none before the end of the year 9999. */
export function nextFireTime(timing: Timing, after: Date): Date | undefined {
  const next = 'cron' in timing ? afterOf(timing, after) : afterInterval(timing, after);
  return next !== undefined && next.getTime() <= latestMs ? next : undefined;
}

/** Up to `count` fire times after a moment, in their order. */
export function listFireTimes(timing: Timing, after: Date, count: number): Date[] {
  const times: Date[] = [];
  for (
    let next = nextFireTime(timing, after);
    next !== undefined && times.length < count;
    next = nextFireTime(timing, next)
  )
    times.push(next);
  return times;
}

/**
 * Fire times from `start` on and before `end`, in their order, up to `count`. An interval has none at its anchor, with which
 * counting only begins.
 */
export function listFireTimesWithin(timing: Timing, { start, end }: { start: Date; end: Date }, count: number): Date[] {
  const before = start.getTime() - 1;
  const times: Date[] = [];
  let next = nextFireTime(timing, new Date('cron' in timing ? before : Math.max(before, timing.anchor.getTime())));
  for (; next !== undefined && next < end && times.length < count; next = nextFireTime(timing, next)) times.push(next);
  return times;
}

/** Whether it is a cron expression that fires at all. */
export function isCron(expression: string): boolean {
  if (!fiveFields.test(expression)) return false;
  try {
    return afterOf({ cron: expression, timeZone: 'UTC' }, new Date()) !== undefined;
  } catch {
    return false;
  }
}
