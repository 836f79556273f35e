import { expect, it } from '@jest/globals';
import { listTransitions } from '#dev/testing';
import { DescribedZone } from './described-zone.ts';
import { walkCalendars, type Component } from './ical-components.ts';
import { readContentLines } from './ical-lines.ts';
import { inChunks } from './read-whole.ts';

const minute = 60_000;

async function describe(...lines: string[]): Promise<DescribedZone> {
  const content = ['BEGIN:VCALENDAR', 'BEGIN:VTIMEZONE', 'TZID:Own', ...lines, 'END:VTIMEZONE', 'END:VCALENDAR'].join(
    '\r\n',
  );
  const found: Component[] = [];
  for await (const event of walkCalendars(
    readContentLines(() => inChunks(content)),
    { wanted: () => true, kept: () => true },
  ))
    if ('component' in event) found.push(event.component);
  return new DescribedZone(found[0] as Component);
}

const offset = (nanoseconds: number): string => {
  const minutes = Math.abs(nanoseconds) / 60e9;
  return `${nanoseconds < 0 ? '-' : '+'}${String(Math.floor(minutes / 60)).padStart(2, '0')}${String(minutes % 60).padStart(2, '0')}`;
};
const onset = (clock: Temporal.PlainDateTime): string =>
  clock.toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '');

type Change = ReturnType<typeof listTransitions>[number];

/** Every clock time in the hours around the changes, as Temporal has it, whose rule for gaps and overlaps is that of RFC 5545. */
function expectAlike(described: DescribedZone, zone: string, changes: Change[]): void {
  for (const { before, after } of changes) {
    for (const offsetThen of [before, after].map(({ offsetNanoseconds }) => offsetNanoseconds / 1e6)) {
      for (let later = -120; later <= 120; later += 15) {
        const clock = Temporal.Instant.fromEpochMilliseconds(after.epochMilliseconds + offsetThen + later * minute)
          .toZonedDateTimeISO('UTC')
          .toPlainDateTime();
        const expected = new Date(clock.toZonedDateTime(zone).epochMilliseconds).toISOString();
        expect({ zone, clock: clock.toString(), found: described.toInstant(clock).toISOString() }).toEqual({
          zone,
          clock: clock.toString(),
          found: expected,
        });
      }
    }
  }
}

it.each([
  'America/New_York',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'Antarctica/Troll',
  'Asia/Beirut',
  'Pacific/Apia',
])('%s, described change by change, is the zone of that name', async (zone) => {
  const changes = listTransitions(zone, 2009, 2037);
  const observances = changes.flatMap(({ before, after }) => [
    'BEGIN:STANDARD',
    `DTSTART:${onset(after.toInstant().toZonedDateTimeISO('UTC').toPlainDateTime().add({ nanoseconds: before.offsetNanoseconds }))}`,
    `TZOFFSETFROM:${offset(before.offsetNanoseconds)}`,
    `TZOFFSETTO:${offset(after.offsetNanoseconds)}`,
    'END:STANDARD',
  ]);
  expectAlike(await describe(...observances), zone, changes);
});

it('rules that end, and others that take their place, are followed', async () => {
  const observance = (kind: string, start: string, [from, to]: [string, string], rule: string): string[] => [
    `BEGIN:${kind}`,
    `DTSTART:${start}`,
    `TZOFFSETFROM:${from}`,
    `TZOFFSETTO:${to}`,
    `RRULE:${rule}`,
    `END:${kind}`,
  ];
  const [standard, daylight]: [string, string] = ['-0500', '-0400'];
  const newYork = await describe(
    ...observance(
      'DAYLIGHT',
      '19870405T020000',
      [standard, daylight],
      'FREQ=YEARLY;BYMONTH=4;BYDAY=1SU;UNTIL=20060402T070000Z',
    ),
    ...observance(
      'STANDARD',
      '19871025T020000',
      [daylight, standard],
      'FREQ=YEARLY;UNTIL=20061029T060000Z;BYMONTH=10;BYDAY=-1SU',
    ),
    ...observance('DAYLIGHT', '20070311T020000', [standard, daylight], 'FREQ=YEARLY;BYMONTH=3;BYDAY=2SU'),
    ...observance('STANDARD', '20071104T020000', [daylight, standard], 'FREQ=YEARLY;BYMONTH=11;BYDAY=1SU'),
  );
  expectAlike(newYork, 'America/New_York', listTransitions('America/New_York', 1990, 2037));
});

it.each([
  [
    ['BEGIN:STANDARD', 'DTSTART:20260101T000000', 'TZOFFSETFROM:+0100', 'TZOFFSETTO:0100', 'END:STANDARD'],
    'TZOFFSETTO of line 4 is not an offset',
  ],
  [
    [
      'BEGIN:STANDARD',
      'DTSTART:20260101T000000',
      'TZOFFSETFROM:+0100',
      'TZOFFSETTO:+0100',
      'RRULE:FREQ=SECONDLY',
      'END:STANDARD',
    ],
    'is neither yearly nor monthly',
  ],
  [[], 'has no STANDARD and no DAYLIGHT'],
])('a description of %j is refused', async (lines, message) => {
  const zone = await describe(...lines);
  expect(() => zone.toInstant(Temporal.PlainDateTime.from('2026-07-01T00:00'))).toThrow(message);
});
