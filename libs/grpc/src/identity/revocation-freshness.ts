import type { Clock, Logger, Metrics } from '#libs/runtime';

/** Whether revocations are known up to now; tells the metric and the log of every change. */
export interface Freshness {
  /** Something was heard, and nothing is missing. */
  hear(): void;
  isStale(): boolean;
  /** True once something was heard. */
  hasBegun(): boolean;
  /** To be called regularly: silence does not report itself. */
  report(lastError?: unknown): void;
}

// As the contract says.
const staleAfterMs = 5000;

export function createFreshness({ clock, logger, metrics }: { clock: Clock; logger: Logger; metrics: Metrics }): Freshness {
  const gauge = metrics.gauge('taskflow_revocations_stale', 'Whether revoked tokens may go unnoticed: 1, and sensitive methods refuse.');
  const now = (): number => clock.now().getTime();
  const createTime = now();
  let heardAt: number | undefined;
  let reported: boolean | undefined;

  // A clock that was set back proves nothing about the time that has passed.
  const isWithin = (since: number): boolean => now() >= since && now() - since <= staleAfterMs;
  const isStale = (): boolean => heardAt === undefined || !isWithin(heardAt);
  const report = (lastError?: unknown): void => {
    const stale = isStale();
    gauge.set(stale ? 1 : 0);
    const isStarting = heardAt === undefined && isWithin(createTime);
    if (stale === reported || isStarting) return;
    reported = stale;
    if (stale) logger.warn({ err: lastError }, 'revocations are stale; sensitive methods refuse');
    else logger.info('revocations are followed');
  };
  report();
  return {
    hear: () => {
      heardAt = now();
      if (reported !== false) report();
    },
    isStale,
    hasBegun: () => heardAt !== undefined,
    report,
  };
}
