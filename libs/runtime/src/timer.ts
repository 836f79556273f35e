/** The longest wait of a Node timer, 24.8 days. A longer one would fire at once, with a warning on standard error. */
export const maxTimerMs = 2 ** 31 - 1;

/** Limits a wait to what a timer can do, in milliseconds. */
export function timerMs(ms: number): number {
  return Math.min(Math.max(0, ms), maxTimerMs);
}
