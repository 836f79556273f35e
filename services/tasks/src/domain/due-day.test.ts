import { expect, it } from '@jest/globals';
import { listClockChanges, type ClockChange } from '#dev/testing';
import { endOfDay } from './due-day.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** Of all zones, and the day that Samoa left out. */
const changes: ClockChange[] = [
  ...listClockChanges(2020, 2037),
  { timeZone: 'Pacific/Apia', at: Date.UTC(2011, 11, 30, 10), offsetBefore: -10 * hour, offsetAfter: 14 * hour },
];
const dateOf = (clock: number): string => new Date(clock).toISOString().slice(0, 10);

/** By arithmetic on the two offsets of a change: the first minute that the clock shows with a later date. */
function firstLaterMinute(date: string, { at, offsetBefore, offsetAfter }: ClockChange): string {
  const dayAfter = Date.parse(date) + day;
  for (let moment = at - 50 * hour; moment < at + 50 * hour; moment += 60_000) {
    if (moment + (moment < at ? offsetBefore : offsetAfter) >= dayAfter) return new Date(moment).toISOString();
  }
  return '';
}

it('a day ends when the clock first shows a later one, on the days around every change of every clock', () => {
  for (const change of changes) {
    const { timeZone, at, offsetBefore } = change;
    for (const date of [-day, 0].map((later) => dateOf(at + offsetBefore + later))) {
      expect({ timeZone, date, end: endOfDay({ date, zone: timeZone }).toISOString() }).toEqual({
        timeZone,
        date,
        end: firstLaterMinute(date, change),
      });
    }
  }
});
