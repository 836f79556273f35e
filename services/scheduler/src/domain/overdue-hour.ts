/** When somebody wants to hear of days that have passed: at this hour in this zone. */
export interface OverdueHour {
  timeZone: string;
  /** 0 to 23. */
  hour: number;
}

/** The first time at or after `dueTime` when it is that hour; where the clock skips the hour, the end of the gap. */
export function firstOverdueHour(dueTime: Date, { timeZone, hour }: OverdueHour): Date {
  const due = Temporal.Instant.fromEpochMilliseconds(dueTime.getTime());
  const today = due.toZonedDateTimeISO(timeZone).toPlainDate();
  const at = (day: Temporal.PlainDate): Temporal.Instant => day.toZonedDateTime({ timeZone, plainTime: new Temporal.PlainTime(hour) }).toInstant();
  const candidate = at(today);
  const first = Temporal.Instant.compare(candidate, due) < 0 ? at(today.add({ days: 1 })) : candidate;
  return new Date(first.epochMilliseconds);
}
