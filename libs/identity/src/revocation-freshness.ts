import type { Logger, Metrics } from '#libs/runtime';

/** Tracks whether the known revocations are current, and reports changes in a metric and the log. */
export interface Freshness {
  /** Records a message while the snapshot is complete. */
  hear(): void;
  isStale(): boolean;
  /** True after the first message. */
  hasBegun(): boolean;
  /** Updates metric and log. To be called regularly, to notice silence. */
  report(lastError?: unknown): void;
}

// The limit in the contract.
const staleAfterMs = 5000;

export function createFreshness({
  elapsedMs,
  logger,
  metrics,
}: {
  elapsedMs: () => number;
  logger: Logger;
  metrics: Metrics;
}): Freshness {
  const gauge = metrics.gauge(
    'taskflow_revocations_stale',
    'Whether revoked tokens may go unnoticed: 1, and sensitive methods refuse.',
  );
  const createdAt = elapsedMs();
  let heardAt: number | undefined;
  let reported: boolean | undefined;

  const isWithin = (since: number): boolean => elapsedMs() - since <= staleAfterMs;
  const isStale = (): boolean => heardAt === undefined || !isWithin(heardAt);
  const report = (lastError?: unknown): void => {
    const stale = isStale();
    gauge.set(stale ? 1 : 0);
    const isStarting = heardAt === undefined && isWithin(createdAt);
    if (stale === reported || isStarting) return;
    reported = stale;
    if (stale) logger.warn({ err: lastError }, 'revocations are stale; sensitive methods refuse');
    else logger.info('revocations are followed');
  };
  report();
  return {
    hear: () => {
      heardAt = elapsedMs();
      if (reported !== false) report();
    },
    isStale,
    hasBegun: () => heardAt !== undefined,
    report,
  };
}
