/** How one attempt of a call went. */
export interface Attempt {
  startedAt: number;
  durationMs: number;
  /** Its deadline. */
  grantedMs: number;
  /** How long this process itself stood still meanwhile. */
  stalledMs: number;
  method: string;
  /** "OK", or code and reason. */
  outcome: string;
  /** It was meant to fail, or given too little time. */
  provoked: boolean;
}

/** A call may exceed its deadline by this: for the way back, and for timers that are a little late. */
export const graceMs = 100;

/** Whether it outlived its deadline by more than the grace and the stalls of this process. */
export const isOverdue = ({
  durationMs,
  grantedMs,
  stalledMs,
}: Pick<Attempt, 'durationMs' | 'grantedMs' | 'stalledMs'>): boolean => durationMs > grantedMs + graceMs + stalledMs;

/** The attempts that were under way at any moment of the window. */
export const touching = (attempts: readonly Attempt[], { from, to }: Window): Attempt[] =>
  attempts.filter(({ startedAt, durationMs }) => startedAt < to && startedAt + durationMs >= from);

export interface Figures {
  attempts: number;
  failed: number;
  p50Ms: number;
  p99Ms: number;
  /** How often each code was answered; OK left out. */
  errors: Record<string, number>;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Of the attempts that were meant to succeed. Durations are those of attempts that succeeded: a failure may be quicker or as long as its deadline. */
export function figuresOf(all: readonly Attempt[]): Figures {
  const attempts = all.filter(({ provoked }) => !provoked);
  const good = attempts
    .filter(({ outcome }) => outcome === 'OK')
    .map(({ durationMs }) => durationMs)
    .sort((a, b) => a - b);
  const errors: Record<string, number> = {};
  for (const { outcome } of attempts) if (outcome !== 'OK') errors[outcome] = (errors[outcome] ?? 0) + 1;
  return {
    attempts: attempts.length,
    failed: attempts.length - good.length,
    p50Ms: percentile(good, 0.5),
    p99Ms: percentile(good, 0.99),
    errors,
  };
}

export interface Window {
  from: number;
  to: number;
}

export const within = (attempts: readonly Attempt[], { from, to }: Window): Attempt[] =>
  attempts.filter(({ startedAt }) => startedAt >= from && startedAt < to);
