/** How long records are kept that have ended. */
export interface Retention {
  notificationsMs: number;
  /** On every way out, webhooks included. */
  deliveriesMs: number;
  /** Runs of schedules, and dead letters that are closed. */
  jobsMs: number;
  adminActionsMs: number;
}

/**
 * Deletes up to `limit` rows that ended more than `keepMs` milliseconds ago, and returns how many it deleted. It never deletes
 * what is pending or waits for a person's decision.
 */
export type Prune = (keepMs: number, limit: number) => Promise<number>;

/** More than the clocks of two processes and two databases may differ. */
const clockMarginMs = 86_400_000;

/** Rows are kept longer than events are handled, so that no event is handled again once its notifications are pruned. */
export function rowsKeptMs(notificationsMs: number): number {
  return notificationsMs + clockMarginMs;
}

/** Whether an event is too old to be handled: its notifications may have been pruned. */
export function isForgotten(
  eventTime: Date | undefined,
  now: Date,
  { notificationsMs }: Pick<Retention, 'notificationsMs'>,
): boolean {
  return eventTime !== undefined && now.getTime() - eventTime.getTime() > notificationsMs;
}
