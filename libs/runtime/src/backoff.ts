export interface Backoff {
  /** The longest pause after the first failure. */
  firstMs: number;
  /** No pause is longer. Infinity is allowed. */
  maxMs: number;
}

/**
 * The pause after the nth failure in a row (1 = the first), in milliseconds. It doubles with each failure up to
 * `maxMs`. Up to half of it is taken off at random, so that callers which failed together do not come back together.
 */
export function backoffMs({ firstMs, maxMs }: Backoff, failures: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(Math.max(failures, 1) - 1, 30)) * (0.5 + Math.random() / 2);
}
