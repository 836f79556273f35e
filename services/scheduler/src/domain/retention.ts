/** How long records are kept that have ended. */
export interface Retention {
  notificationsMs: number;
  /** On every way out, webhooks included. */
  deliveriesMs: number;
  /** Runs of schedules, and dead letters that are closed. */
  jobsMs: number;
  adminActionsMs: number;
}

/** More than the clocks of two processes and two databases may differ. */
const clockMarginMs = 86_400_000;

/** Notifications outlast the time in which their event would be told of, so that no event is told of again once they are gone. */
export function rowsKeptMs(notificationsMs: number): number {
  return notificationsMs + clockMarginMs;
}

/** What was told of an event may have been forgotten; nobody wants to hear of it any more either. */
export function isForgotten(eventTime: Date | undefined, now: Date, { notificationsMs }: Pick<Retention, 'notificationsMs'>): boolean {
  return eventTime !== undefined && now.getTime() - eventTime.getTime() > notificationsMs;
}
