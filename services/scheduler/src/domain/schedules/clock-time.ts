/**
 * When the clock of a zone shows a time. A time that comes twice is the first of both; one that is skipped is the moment at
 * which the clock goes on, however long the gap is. So each time has one moment, and a later time never an earlier one.
 */
export function momentOf(clockTime: Temporal.PlainDateTime, timeZone: string): Temporal.Instant {
  const first = clockTime.toZonedDateTime(timeZone, { disambiguation: 'earlier' });
  if (first.toPlainDateTime().equals(clockTime)) return first.toInstant();
  // In a gap, "earlier" is counted from its end, and so lies before its beginning.
  return first.getTimeZoneTransition('next')?.toInstant() ?? first.toInstant();
}
