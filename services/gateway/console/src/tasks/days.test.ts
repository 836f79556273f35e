import { describe, expect, it } from '@jest/globals';
import { dayInWords, dayOf, distanceInWords, momentOf, timeOfDay } from './days.ts';

describe('moments in a time zone', () => {
  it.each([
    ['2026-07-01', '17:00', 'Europe/Berlin', '2026-07-01T15:00:00.000Z'],
    ['2026-12-01', '17:00', 'America/New_York', '2026-12-01T22:00:00.000Z'],
    ['2026-12-01', '00:30', 'Asia/Kolkata', '2026-11-30T19:00:00.000Z'],
    // The clocks go from 02:00 to 03:00.
    ['2026-03-29', '02:30', 'Europe/Berlin', '2026-03-29T01:30:00.000Z'],
  ])('%s %s in %s', (day, time, zone, expected) => {
    expect(new Date(momentOf(day, time, zone)).toISOString()).toBe(expected);
  });

  it('have the day and the time of the zone', () => {
    const ms = Date.parse('2026-11-30T23:30:00Z');
    expect([dayOf(ms, 'Europe/Berlin'), timeOfDay(ms, 'Europe/Berlin')]).toEqual(['2026-12-01', '00:30']);
  });
});

it('names near days', () => {
  const days = ['2026-11-29', '2026-11-30', '2026-12-01', '2026-12-04', '2026-12-07', '2027-01-02'];
  expect(days.map((day) => dayInWords(day, '2026-11-30'))).toEqual([
    'Yesterday',
    'Today',
    'Tomorrow',
    'Friday',
    '7 Dec',
    '2 Jan 2027',
  ]);
});

it('names distances', () => {
  const distances = [-2000, -120_000, 7_200_000, -172_800_000].map((ms) => distanceInWords(ms, 0));
  expect(distances).toEqual(['just now', '2 minutes ago', 'in 2 hours', '2 days ago']);
});
