import { momentOf } from '../schedules/clock-time.ts';

/** The hour at which a recipient wants notifications about overdue days. */
export interface OverdueHour {
  timeZone: string;
  /** 0 to 23. */
  hour: number;
}

/**
 * The first time at or after `dueTime` when it is that hour, once a day: the first when the clock shows it twice, the end of the
 * gap when it skips it.
 */
export function firstOverdueHour(dueTime: Date, { timeZone, hour }: OverdueHour): Date {
  const due = dueTime.getTime();
  const today = Temporal.Instant.fromEpochMilliseconds(due).toZonedDateTimeISO(timeZone).toPlainDate();
  const time = new Temporal.PlainTime(hour);
  const at = (days: number): number => momentOf(today.add({ days }).toPlainDateTime(time), timeZone).epochMilliseconds;
  // Yesterday's may be today, when the clock skips it together with midnight.
  const found = [at(-1), at(0), at(1)].find((moment) => moment >= due) ?? at(2);
  return new Date(found);
}
