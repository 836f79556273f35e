/** A calendar day in a time zone; a task that is due then is due at the day's end. */
export interface DueDay {
  /** "2026-03-29" */
  date: string;
  /** IANA: "Europe/Berlin" */
  zone: string;
}

/** The first moment that no longer belongs to the day: the next one's beginning, which is not midnight everywhere. */
export function endOfDay({ date, zone }: DueDay): Date {
  const next = Temporal.PlainDate.from(date).add({ days: 1 }).toZonedDateTime(zone);
  return new Date(next.epochMilliseconds);
}

/** The zone's name as IANA writes it; undefined when there is none. */
export function findZone(name: string): string | undefined {
  // Offsets such as +01:00 are taken by Temporal, but are no zones.
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return undefined;
  try {
    return Temporal.Now.zonedDateTimeISO(name).timeZoneId;
  } catch {
    return undefined;
  }
}

/** The last day ends before the last moment that a timestamp can hold, in every zone. */
const [firstDay, lastDay] = ['1970-01-01', '9999-12-30'];

export function isDueDate(date: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date) || date < firstDay || date > lastDay) return false;
  return !Number.isNaN(Date.parse(date)) && new Date(date).toISOString().startsWith(date);
}
