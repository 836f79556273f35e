import { setTimeout as pause } from 'node:timers/promises';
import { runInBackground, startLoop, steadyNow, type Logger, type Metrics, type SharedClock } from '#libs/runtime';
import type { SqlReader } from './reader.ts';

export interface FollowClockOptions {
  reader: SqlReader;
  clock: SharedClock;
  logger: Logger;
  metrics: Metrics;
}

export interface FollowedClock {
  /** Resolves when the database has answered once, or after a short wait. */
  first: Promise<void>;
  stop(): Promise<void>;
}

/** Between two questions the clock drifts by less than a millisecond. */
const intervalMs = 5_000;
const timeoutMs = 3_000;
const firstAnswerMs = 1_000;
/** An answer that took longer is too inexact and is ignored. */
const longestAnswerMs = 500;
/** More than synchronised clocks differ by. */
const noticeableMs = 5_000;

const ask = { name: 'read_clock', text: 'select clock_timestamp() as now' };

/**
 * Keeps the clock at the time of the database, which all replicas share, so that a replica whose own clock is wrong or
 * steps decides like the others. While the database is away the clock continues by itself. The metric shows how far the
 * machine's clock is off.
 */
export function followDatabaseClock({ reader, clock, logger, metrics }: FollowClockOptions): FollowedClock {
  const gauge = metrics.gauge(
    'taskflow_clock_offset_seconds',
    "How far this machine's clock is ahead of the database's.",
  );
  let wasOff = false;
  const report = (): void => {
    const offsetMs = Date.now() - clock.now().getTime();
    gauge.set(offsetMs / 1_000);
    const isOff = Math.abs(offsetMs) > noticeableMs;
    if (isOff !== wasOff)
      logger.warn(
        { offsetMs: Math.round(offsetMs) },
        isOff ? "this machine's clock differs from the database's" : "this machine's clock is right again",
      );
    wasOff = isOff;
  };
  const look = async (): Promise<void> => {
    const askedAt = steadyNow();
    const [row] = await reader.query<{ now: Date }>(ask, []);
    const tookMs = steadyNow() - askedAt;
    if (row === undefined || (clock.isSet() && tookMs > longestAnswerMs)) return;
    clock.set(row.now.getTime(), askedAt + tookMs / 2);
    report();
  };
  const first = Promise.withResolvers<void>();
  const run = async (signal: AbortSignal): Promise<void> => {
    // The health check reports that the database is away.
    await runInBackground({ name: 'clock', logger, timeoutMs, signal }, () => look().catch(() => undefined));
    first.resolve();
  };
  const { stop } = startLoop({ name: 'clock', logger, intervalMs, run });
  return { stop, first: Promise.race([first.promise, pause(firstAnswerMs, undefined, { ref: false })]) };
}
