/* Changes of clocks, for tests of what happens around them. */

/** Milliseconds. */
export interface ClockChange {
  timeZone: string;
  at: number;
  offsetBefore: number;
  offsetAfter: number;
}

const offsetFormats = new Map<string, Intl.DateTimeFormat>();

/** As the zone's dates are formatted, which is another way to the zone's data than Temporal. */
export function offsetOf(timeZone: string, at: number): number {
  const format =
    offsetFormats.get(timeZone) ?? new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  offsetFormats.set(timeZone, format);
  const name = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours = '0', minutes = '0'] = /GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(name) ?? [];
  return (sign === '-' ? -60_000 : 60_000) * (Number(hours) * 60 + Number(minutes));
}

/** The changes of one zone's clock in these years, with the time before each. */
export function listTransitions(timeZone: string, firstYear: number, lastYear: number) {
  const transitions: { before: Temporal.ZonedDateTime; after: Temporal.ZonedDateTime }[] = [];
  let before = Temporal.Instant.from(`${firstYear}-01-01T00:00:00Z`).toZonedDateTimeISO(timeZone);
  for (;;) {
    const after = before.getTimeZoneTransition('next');
    if (after === null || after.year > lastYear) return transitions;
    transitions.push({ before, after });
    before = after;
  }
}

/** Of all zones in these years; of zones that change alike, one. */
export function listClockChanges(firstYear: number, lastYear: number): ClockChange[] {
  const changes = new Map<string, ClockChange>();
  for (const timeZone of Intl.supportedValuesOf('timeZone')) {
    for (const { before, after } of listTransitions(timeZone, firstYear, lastYear)) {
      const at = after.epochMilliseconds;
      const [offsetBefore = 0, offsetAfter = 0] = [before, after].map((time) => time.offsetNanoseconds / 1_000_000);
      changes.set(`${at} ${offsetBefore} ${offsetAfter}`, { timeZone, at, offsetBefore, offsetAfter });
    }
  }
  return [...changes.values()];
}
