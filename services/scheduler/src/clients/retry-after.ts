const longestMs = 3_600_000;

/** The three ways in which HTTP writes a date (RFC 9110, 5.6.7); the last one names no zone and means UTC. */
const dates = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

/** Milliseconds since 1970; undefined for what is no HTTP date. */
function parseDate(text: string | undefined): number | undefined {
  if (text === undefined || !dates.some((form) => form.test(text))) return undefined;
  const time = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(time) ? undefined : time;
}

export interface RetryHeaders {
  'retry-after'?: string | undefined;
  date?: string | undefined;
}

/**
 * How long an answer asks to wait, in milliseconds, at most an hour: Retry-After as seconds or as a date. A date is compared
 * with the clock of the one who wrote it (the header Date), and with `now` only without that. Undefined when it asks for
 * nothing, or for nothing that can be understood.
 */
export function readRetryAfter({ 'retry-after': text = '', date }: RetryHeaders, now: Date): number | undefined {
  const until = parseDate(text);
  const waitMs =
    until === undefined ? (/^\d+$/.test(text) ? Number(text) * 1_000 : 0) : until - (parseDate(date) ?? now.getTime());
  return waitMs > 0 ? Math.min(waitMs, longestMs) : undefined;
}
