import { describe, expect, it } from '@jest/globals';
import { CronExpressionParser } from 'cron-parser';
import { isCron, listFireTimes, nextFireTime } from './timing.ts';

const iso = (times: Date[]): string[] => times.map((time) => time.toISOString());

const times = (cron: string, timeZone: string, after: string, count: number): string[] =>
  iso(listFireTimes({ cron, timeZone }, new Date(after), count));

/** What another library makes of it. */
function accordingToCronParser(cron: string, timeZone: string, after: Date): string[] {
  const fireTimes = CronExpressionParser.parse(cron, { tz: timeZone, currentDate: after });
  return Array.from({ length: 10 }, () => fireTimes.next().toDate().toISOString());
}

const zones = ['Europe/Berlin', 'America/New_York', 'Africa/Cairo', 'Asia/Beirut', 'Asia/Kolkata', 'UTC'];
/** None of them falls into a gap, where the libraries differ: those are below. */
const expressions = [
  '*/15 * * * *',
  '0 * * * *',
  '0 3 * * *',
  '15 1 * * *',
  '0 9 * * 1-5',
  '0 3 * * 0',
  '59 23 28-31 * *',
  '0 0 1 * *',
  '0 0 13 * 5',
];
/** The day before every change of the clock in these zones in 2026. */
const eves = ['03-07', '03-27', '03-28', '04-22', '04-23', '10-24', '10-28', '10-31'].map(
  (day) => new Date(`2026-${day}T12:00:00Z`),
);

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
    expect(times('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ]);
  });

  it('fire once, the first time, when a fixed time of day comes twice', () => {
    expect(times('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
    expect(times('0 0 * * *', 'America/Havana', '2026-10-31T12:00:00Z', 2)).toEqual([
      '2026-11-01T04:00:00.000Z',
      '2026-11-02T05:00:00.000Z',
    ]);
  });

  it('treat lists and ranges like single times, and only "*" as what follows the clock', () => {
    expect(times('15,45 2 * * *', 'America/New_York', '2026-03-07T12:00:00Z', 2)).toEqual([
      '2026-03-08T07:00:00.000Z',
      '2026-03-09T06:15:00.000Z',
    ]);
    expect(times('30 1,2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 3)).toEqual([
      '2026-10-24T23:30:00.000Z',
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T00:30:00.000Z',
    ]);
    expect(times('0-59/20 2 * * *', 'America/New_York', '2026-11-01T04:00:00Z', 1)).toEqual([
      '2026-11-01T07:00:00.000Z',
    ]);
    expect(times('*/30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 5)).toEqual(
      ['00:00', '00:30', '01:00', '01:30']
        .map((time) => `2026-10-25T${time}:00.000Z`)
        .concat('2026-10-26T01:00:00.000Z'),
    );
    expect(times('*/30 2 * * *', 'America/New_York', '2026-03-07T12:00:00Z', 1)).toEqual(['2026-03-09T06:00:00.000Z']);
  });

  it('fire at the end of a gap that is longer than the time is late, or as long as a day', () => {
    expect(times('30 1 * * *', 'Antarctica/Troll', '2026-03-28T12:00:00Z', 1)).toEqual(['2026-03-29T01:00:00.000Z']);
    expect(times('0 9 * * *', 'Pacific/Apia', '2011-12-29T10:00:00Z', 3)).toEqual([
      '2011-12-29T19:00:00.000Z',
      '2011-12-30T10:00:00.000Z',
      '2011-12-30T19:00:00.000Z',
    ]);
  });

  it('are found where the clock moves by half an hour', () => {
    expect(times('15 1 * * *', 'Australia/Lord_Howe', '2026-04-03T12:00:00Z', 3)).toEqual([
      '2026-04-03T14:15:00.000Z',
      '2026-04-04T14:15:00.000Z',
      '2026-04-05T14:45:00.000Z',
    ]);
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
  it.each(['* * * * *', '*/5 9-17 * * MON-FRI', '0 0 29 2 *', '0 12 L * *', '0 9 * * 5#2', '0,30 8 1 JAN ?'])(
    'takes %s',
    (text) => expect(isCron(text)).toBe(true),
  );
  it.each([
    '',
    '* * * *',
    '* * * * * *',
    '0 0 30 2 *',
    '60 * * * *',
    '* 24 * * *',
    '@daily',
    'a b c d e',
    '*/0 * * * *',
    '* * * * *\n',
    '5-1 * * * *',
  ])('refuses %j', (text) => expect(isCron(text)).toBe(false));
});

describe('fire times far ahead', () => {
  it('go on in every year that a Timestamp can hold, and end with the last one', () => {
    const daily = { cron: '0 0 29 2 *', timeZone: 'UTC' };
    const from = (start: string): string[] => iso(listFireTimes(daily, new Date(start), 2));
    expect(from('2999-01-01T00:00:00Z')).toEqual(['3004-02-29T00:00:00.000Z', '3008-02-29T00:00:00.000Z']);
    expect(from('9995-01-01T00:00:00Z')).toEqual(['9996-02-29T00:00:00.000Z']);
    const hourly = { intervalMs: 3_600_000, anchor: new Date('9999-12-31T21:30:00Z') };
    expect(iso(listFireTimes(hourly, hourly.anchor, 5))).toEqual([
      '9999-12-31T22:30:00.000Z',
      '9999-12-31T23:30:00.000Z',
    ]);
  });

  it('are the same 400 years later, days of the week included', () => {
    const fridays = { cron: '30 9 * * FRI', timeZone: 'UTC' };
    const now = listFireTimes(fridays, new Date('2026-11-01T00:00:00Z'), 5);
    expect(iso(listFireTimes(fridays, new Date('6026-11-01T00:00:00Z'), 5))).toEqual(
      iso(now).map((time) => time.replace('2026', '6026')),
    );
  });
});
