import { Cron } from 'croner';

/** When something repeats: by a cron expression in a zone, or by an interval counted from a moment. */
export type Timing = { cron: string; timeZone: string } | { intervalMs: number; anchor: Date };

/** Minute, hour, day of month, month, day of week: seconds and years, which the library would take too, are no part of the contract. */
const fiveFields = /^[0-9A-Za-z*,/#?-]+( [0-9A-Za-z*,/#?-]+){4}$/;

function afterOf({ cron, timeZone }: { cron: string; timeZone: string }, after: Date): Date | undefined {
  return new Cron(cron, { timezone: timeZone, mode: '5-part' }).nextRun(after) ?? undefined;
}

/** The first fire time after a moment; undefined when there is none. */
export function nextFireTime(timing: Timing, after: Date): Date | undefined {
  if ('cron' in timing) return afterOf(timing, after);
  const { intervalMs, anchor } = timing;
  const passed = Math.floor((after.getTime() - anchor.getTime()) / intervalMs);
  return new Date(anchor.getTime() + Math.max(0, passed + 1) * intervalMs);
}

/** Up to `count` fire times after a moment, in their order. */
export function listFireTimes(timing: Timing, after: Date, count: number): Date[] {
  const times: Date[] = [];
  for (let next = nextFireTime(timing, after); next !== undefined && times.length < count; next = nextFireTime(timing, next)) times.push(next);
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

/** The zone's name as IANA writes it; undefined when there is none. Offsets such as +01:00 are no zones. */
export function findTimeZone(name: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return undefined;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}
