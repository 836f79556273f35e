export interface RetryRules {
  /** The first pause. */
  firstPauseMs: number;
  /** How long a message is tried before it is given up. */
  giveUpMs: number;
  /** Default: four hours. */
  longestPauseMs?: number;
}

const defaultLongestPauseMs = 4 * 3_600_000;
const longestEndpointPauseMs = 900_000;

/** Each pause is twice the time that has gone by, less up to a fifth, so that messages which failed together spread. */
function pause(elapsedMs: number, { firstPauseMs }: RetryRules, longestMs: number): number {
  return Math.min(longestMs, Math.max(firstPauseMs, 2 * elapsedMs)) * (0.8 + Math.random() / 5);
}

/** When a message that failed is tried next; undefined = no more. The last try comes at the end of its time. */
export function nextAttempt(
  failure: { firstAttempt: Date; now: Date; retryAfterMs: number | undefined },
  rules: RetryRules,
): Date | undefined {
  const { firstAttempt, now, retryAfterMs = 0 } = failure;
  const { longestPauseMs = defaultLongestPauseMs } = rules;
  const end = firstAttempt.getTime() + rules.giveUpMs;
  if (now.getTime() >= end) return undefined;
  const wanted =
    now.getTime() + Math.max(retryAfterMs, pause(now.getTime() - firstAttempt.getTime(), rules, longestPauseMs));
  return new Date(Math.min(end, wanted));
}

/** How long an endpoint that fails for everything is left alone. */
export function endpointPauseMs(failingForMs: number, rules: RetryRules): number {
  return pause(failingForMs, rules, longestEndpointPauseMs);
}
