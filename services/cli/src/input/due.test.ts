import { expect, it } from '@jest/globals';
import { timestampDate, timestampFromDate } from '#client/index';
import { readDue, readNewDue } from './due.ts';

/** A Wednesday, half an hour after midnight in Berlin, when it is still Tuesday in UTC. */
const clock = { zone: 'Europe/Berlin', now: Temporal.Instant.from('2026-03-24T23:30:00Z') };
const day = (date: string) => {
  const [year, month, number] = date.split('-').map(Number);
  return { case: 'dueDay', value: { date: { year, month, day: number }, timeZone: clock.zone } };
};
const time = (text: string) => ({ case: 'dueTime', value: timestampFromDate(new Date(text)) });

it.each([
  ['today', day('2026-03-25')],
  ['tomorrow', day('2026-03-26')],
  ['2026-12-24', day('2026-12-24')],
  ['+3d', day('2026-03-28')],
  ['+2w', day('2026-04-08')],
  ['fri', day('2026-03-27')],
  ['Friday', day('2026-03-27')],
  ['tue', day('2026-03-31')],
  ['wed', day('2026-04-01')],
  ['fri 17:00', time('2026-03-27T16:00:00Z')],
  ['2026-12-24 17:00', time('2026-12-24T16:00:00Z')],
  ['2026-12-24T17:00:30', time('2026-12-24T16:00:30Z')],
  ['2026-12-24T17:00:00-05:00', time('2026-12-24T22:00:00Z')],
  ['2026-12-24T17:00:00.5Z', time('2026-12-24T17:00:00.5Z')],
  ['+2h', time('2026-03-25T01:30:00Z')],
  ['+30min', time('2026-03-25T00:00:00Z')],
  ['  Tomorrow   09:00 ', time('2026-03-26T08:00:00Z')],
])('understands "%s"', (typed, due) => {
  expect(readDue(typed, clock)).toEqual(due);
});

it.each([
  ['01/02/2026', 'not clear'],
  ['+3m', 'not clear'],
  ['17:00', 'not clear'],
  ['friday 5pm', 'not clear'],
  ['next week', 'not clear'],
  ['', 'not clear'],
  ['2026-02-30', 'no such day'],
  ['2026-12-24 25:00', 'no such time'],
  ['2026-13-24T17:00:00Z', 'no such time'],
  ['2026-03-29 02:30', 'comes twice'],
  ['2026-10-25 02:30', 'comes twice'],
])('refuses "%s"', (typed, fault) => {
  expect(() => readDue(typed, clock)).toThrow(fault);
});

it('takes a due time away by none', () => {
  expect(readNewDue('none', clock)).toEqual({ case: undefined });
});

it('goes by the zone', () => {
  const { case: kind, value } = readDue('today 12:00', { ...clock, zone: 'Asia/Tokyo' });
  expect({ kind, time: kind === 'dueTime' && timestampDate(value as never).toISOString() }).toEqual({
    kind: 'dueTime',
    time: '2026-03-25T03:00:00.000Z',
  });
});
