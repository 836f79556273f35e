/**
 * Converts the values of a statement for the driver, which writes a Date in this process's zone with an offset of whole
 * minutes and so shifts instants from times when zones differed from UTC by seconds.
 */
export function toParameters(values: readonly unknown[]): unknown[] {
  return values.map(toParameter);
}

function toParameter(value: unknown): unknown {
  if (value instanceof Date) return hasPlainYear(value) ? value.toISOString() : value;
  return Array.isArray(value) && value.some((item) => item instanceof Date) ? value.map(toParameter) : value;
}

/** PostgreSQL does not read how ISO 8601 writes other years. */
function hasPlainYear(date: Date): boolean {
  const year = date.getUTCFullYear();
  return year > 0 && year <= 9999;
}
