import { describe, expect, it } from '@jest/globals';
import { CronExpressionParser } from 'cron-parser';
import { findTimeZone, isCron, listFireTimes, nextFireTime } from './timing.ts';

const iso = (times: Date[]): string[] => times.map((time) => time.toISOString());

/** What another library makes of it. */
function accordingToCronParser(cron: string, timeZone: string, after: Date): string[] {
  const times = CronExpressionParser.parse(cron, { tz: timeZone, currentDate: after });
  return Array.from({ length: 10 }, () => times.next().toDate().toISOString());
}

const zones = ['Europe/Berlin', 'America/New_York', 'Africa/Cairo', 'Asia/Beirut', 'Asia/Kolkata', 'UTC'];
/** None of them falls into a gap, where the libraries differ: those are below. */
const expressions = ['*/15 * * * *', '0 * * * *', '0 3 * * *', '15 1 * * *', '0 9 * * 1-5', '0 3 * * 0', '59 23 28-31 * *', '0 0 1 * *', '0 0 13 * 5'];
/** The day before every change of the clock in these zones in 2026. */
const eves = ['2026-03-07', '2026-03-27', '2026-03-28', '2026-04-22', '2026-04-23', '2026-10-24', '2026-10-28', '2026-10-31'].map((day) => new Date(`${day}T12:00:00Z`));

describe('the next ten fire times over a change of the clock', () => {
  it.each(zones)('are those of an independent library in %s', (zone) => {
    for (const cron of expressions) {
      for (const eve of eves) {
        const found = iso(listFireTimes({ cron, timeZone: zone }, eve, 10));
        expect({ cron, eve, found }).toEqual({ cron, eve, found: accordingToCronParser(cron, zone, eve) });
      }
    }
  });

  it('fire at the end of the gap when the time of day does not exist', () => {
    const berlin = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' };
    expect(iso(listFireTimes(berlin, new Date('2026-03-28T12:00:00Z'), 2))).toEqual(['2026-03-29T01:00:00.000Z', '2026-03-30T00:30:00.000Z']);
  });

  it('fire once, the first time, when a fixed time of day comes twice', () => {
    const berlin = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' };
    expect(iso(listFireTimes(berlin, new Date('2026-10-24T12:00:00Z'), 2))).toEqual(['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z']);
    const havana = { cron: '0 0 * * *', timeZone: 'America/Havana' };
    expect(iso(listFireTimes(havana, new Date('2026-10-31T12:00:00Z'), 2))).toEqual(['2026-11-01T04:00:00.000Z', '2026-11-02T05:00:00.000Z']);
  });

  it('are found where the clock moves by half an hour', () => {
    const lordHowe = { cron: '15 1 * * *', timeZone: 'Australia/Lord_Howe' };
    expect(iso(listFireTimes(lordHowe, new Date('2026-04-03T12:00:00Z'), 3))).toEqual(['2026-04-03T14:15:00.000Z', '2026-04-04T14:15:00.000Z', '2026-04-05T14:45:00.000Z']);
  });
});

describe('an interval', () => {
  const anchor = new Date('2026-01-01T00:00:07Z');
  it('is counted from its anchor, however late one asks', () => {
    const timing = { intervalMs: 60_000, anchor };
    expect(nextFireTime(timing, new Date('2026-01-01T05:30:07Z'))).toEqual(new Date('2026-01-01T05:31:07Z'));
    expect(nextFireTime(timing, new Date('2026-01-01T05:30:06.999Z'))).toEqual(new Date('2026-01-01T05:30:07Z'));
    expect(nextFireTime(timing, new Date('2025-01-01T00:00:00Z'))).toEqual(anchor);
  });
});

describe('isCron', () => {
  it.each(['* * * * *', '*/5 9-17 * * MON-FRI', '0 0 29 2 *', '0 12 L * *', '0 9 * * 5#2', '0,30 8 1 JAN ?'])('takes %s', (text) => expect(isCron(text)).toBe(true));
  it.each(['', '* * * *', '* * * * * *', '0 0 30 2 *', '60 * * * *', '* 24 * * *', '@daily', 'a b c d e', '*/0 * * * *', '* * * * *\n', '5-1 * * * *'])('refuses %j', (text) =>
    expect(isCron(text)).toBe(false));
});

describe('findTimeZone', () => {
  it('knows zones by their IANA names and nothing else', () => {
    expect(['europe/berlin', 'UTC', 'Mars/Olympus', '+01:00', '', 'Europe/Berlin '].map(findTimeZone)).toEqual(['Europe/Berlin', 'UTC', undefined, undefined, undefined, undefined]);
  });
});
