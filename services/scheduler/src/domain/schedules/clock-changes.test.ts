import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { listClockChanges, offsetOf, type ClockChange } from '#dev/testing';
import { firstOverdueHour } from '../notifications/overdue-hour.ts';
import { listFireTimesWithin } from './timing.ts';

/* Every change of every clock, minute by minute, by arithmetic on two offsets: no library of dates takes part. */

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

interface Shown {
  clock: number;
  moment: number;
}

/** What the clock shows in the hours around a change, and what it skips, which has the moment of the change. */
function watchClock(
  { at, offsetBefore, offsetAfter }: ClockChange,
  hours: number,
): { shown: Shown[]; skipped: Shown[] } {
  const shown: Shown[] = [];
  for (let moment = at - hours * hour; moment < at + hours * hour; moment += minute)
    shown.push({ moment, clock: moment + (moment < at ? offsetBefore : offsetAfter) });
  const skipped: Shown[] = [];
  for (let clock = at + offsetBefore; clock < at + offsetAfter; clock += minute) skipped.push({ moment: at, clock });
  return { shown, skipped };
}

type Field = '*' | { step: number } | { list: number[] };

interface Expression {
  minute: Field;
  hour: Field;
  dayOfMonth: '*' | { list: number[] };
}

const write = (field: Field): string =>
  field === '*' ? '*' : 'step' in field ? `*/${field.step}` : field.list.join(',');
const has = (field: Field, value: number): boolean =>
  field === '*' || ('step' in field ? value % field.step === 0 : field.list.includes(value));
const isWild = (field: Field): boolean => field === '*' || 'step' in field;

function matches({ minute: minutes, hour: hours, dayOfMonth }: Expression, clock: number): boolean {
  const date = new Date(clock);
  return has(minutes, date.getUTCMinutes()) && has(hours, date.getUTCHours()) && has(dayOfMonth, date.getUTCDate());
}

/** The rule of the contract, as simply as it can be said. */
function fireTimes(expression: Expression, { shown, skipped }: ReturnType<typeof watchClock>): number[] {
  if (isWild(expression.minute) || isWild(expression.hour))
    return shown.filter(({ clock }) => matches(expression, clock)).map(({ moment }) => moment);
  const first = new Map<number, number>();
  for (const { clock, moment } of [...shown, ...skipped])
    if (matches(expression, clock) && !first.has(clock)) first.set(clock, moment);
  return [...new Set(first.values())].sort((left, right) => left - right);
}

const hoursAround = 3;
const changes = listClockChanges(2020, 2037);
/** A whole day that Samoa left out, and one that Kwajalein did. */
const leftOut: ClockChange[] = [
  { timeZone: 'Pacific/Apia', at: Date.UTC(2011, 11, 30, 10), offsetBefore: -10 * hour, offsetAfter: 14 * hour },
  { timeZone: 'Pacific/Kwajalein', at: Date.UTC(1993, 7, 21, 12), offsetBefore: -12 * hour, offsetAfter: 12 * hour },
];

const minutes: fc.Arbitrary<Field> = fc.oneof(
  { arbitrary: fc.constant('*' as const), weight: 1 },
  { arbitrary: fc.constantFrom(15, 20, 30, 7).map((step) => ({ step })), weight: 12 },
  { arbitrary: list(0, 59), weight: 6 },
);
const hours: fc.Arbitrary<Field> = fc.oneof(
  fc.constant('*' as const),
  fc.constantFrom(2, 3).map((step) => ({ step })),
  list(0, 23),
);

function list(min: number, max: number): fc.Arbitrary<Field> {
  return fc
    .uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 4 })
    .map((values) => ({ list: values.sort((left, right) => left - right) }));
}

/** Fields that name what the clock shows about then: others fire elsewhere. */
function near({ at, offsetBefore, offsetAfter }: ClockChange): fc.Arbitrary<Expression> {
  const times = [-90, -30, 0, 15, 30, 45, 75].flatMap((minutesLater) =>
    [at + offsetBefore, at + offsetAfter].map((clock) => new Date(clock + minutesLater * minute)),
  );
  const listed = (values: number[]): fc.Arbitrary<{ list: number[] }> =>
    fc
      .subarray(
        [...new Set(values)].sort((left, right) => left - right),
        { minLength: 1 },
      )
      .map((chosen) => ({ list: chosen }));
  const days = listed(times.map((time) => time.getUTCDate()));
  return fc.record({
    minute: fc.oneof(listed(times.map((time) => time.getUTCMinutes())), minutes),
    hour: fc.oneof(
      { arbitrary: listed(times.map((time) => time.getUTCHours())), weight: 3 },
      { arbitrary: hours, weight: 1 },
    ),
    dayOfMonth: fc.oneof({ arbitrary: fc.constant('*' as const), weight: 3 }, { arbitrary: days, weight: 1 }),
  });
}

describe('around every change of a clock', () => {
  it('the offsets are those that Intl shows', () => {
    for (const { timeZone, at, offsetBefore, offsetAfter } of [...changes, ...leftOut]) {
      expect({ timeZone, at, found: [offsetOf(timeZone, at - 1), offsetOf(timeZone, at)] }).toEqual({
        timeZone,
        at,
        found: [offsetBefore, offsetAfter],
      });
    }
    // Both directions, half hours, and gaps that reach over midnight or end with it.
    const gapsAtMidnight = changes.filter(
      ({ at, offsetBefore, offsetAfter }) =>
        Math.floor((at + offsetBefore - 1) / day) < Math.floor((at + offsetAfter) / day),
    );
    expect([
      changes.length > 1000,
      changes.some(({ offsetBefore, offsetAfter }) => Math.abs(offsetAfter - offsetBefore) === hour / 2),
      gapsAtMidnight.length > 10,
    ]).toEqual([true, true, true]);
  });

  it('a cron expression fires as the contract says', () => {
    for (const [index, change] of [...changes, ...leftOut, ...leftOut, ...leftOut, ...leftOut].entries()) {
      const clock = watchClock(change, hoursAround);
      for (const expression of fc.sample(near(change), { numRuns: 2, seed: index })) {
        const cron = `${write(expression.minute)} ${write(expression.hour)} ${write(expression.dayOfMonth)} * *`;
        const span = { start: new Date(change.at - hoursAround * hour), end: new Date(change.at + hoursAround * hour) };
        const found = listFireTimesWithin({ cron, timeZone: change.timeZone }, span, 1000);
        expect({ cron, change, found: found.map((time) => time.toISOString()) }).toEqual({
          cron,
          change,
          found: fireTimes(expression, clock).map((time) => new Date(time).toISOString()),
        });
      }
    }
  });

  it('an overdue hour comes once a day, at the end of the gap when the clock skips it', () => {
    for (const [index, change] of [...changes, ...leftOut].entries()) {
      const { shown, skipped } = watchClock(change, 27);
      const [overdueHour = 0, minutesLater = 0] =
        fc.sample(
          fc.tuple(
            fc.oneof(
              fc.constantFrom(
                ...[change.offsetBefore, change.offsetAfter].map((offset) =>
                  new Date(change.at + offset).getUTCHours(),
                ),
              ),
              fc.integer({ min: 0, max: 23 }),
            ),
            fc.oneof(fc.constantFrom(-60, 0, 30), fc.integer({ min: -100, max: 100 })),
          ),
          { numRuns: 1, seed: index },
        )[0] ?? [];
      const due = change.at + minutesLater * minute;
      const times = fireTimes(
        { minute: { list: [0] }, hour: { list: [overdueHour] }, dayOfMonth: '*' },
        { shown, skipped },
      );
      const found = firstOverdueHour(new Date(due), { timeZone: change.timeZone, hour: overdueHour }).toISOString();
      expect({ change, overdueHour, minutesLater, found }).toEqual({
        change,
        overdueHour,
        minutesLater,
        found: new Date(times.find((time) => time >= due) ?? NaN).toISOString(),
      });
    }
  });
});
