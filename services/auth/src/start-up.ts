import type { ServiceBase } from '#libs/service';
import { runInBackground, settlesWithin, startLoop, type Loop, type Logger } from '#libs/runtime';
import type { AuthConfig } from './config.ts';
import type { AuthDeps } from './deps.ts';
import { beginRemovals } from './use-cases/begin-removals.ts';
import { reportRemovals } from './use-cases/report-removals.ts';

export interface Preparation {
  /** For health: throws until everything has been prepared. */
  check(): Promise<void>;
  stop(): Promise<void>;
}

const attemptTimeoutMs = 15_000;
const maxWaitMs = 2000;

/**
 * Does what must be true before the service serves, and keeps trying: the database may come later than the process.
 * Resolves after the first attempt, so that a service whose database is there is ready when it begins to listen.
 */
export async function startPreparation({
  logger,
  prepare,
}: {
  logger: Logger;
  prepare: () => Promise<void>;
}): Promise<Preparation> {
  let isPrepared = false;
  const firstAttempt = Promise.withResolvers<void>();
  const loop = startLoop({
    name: 'preparation',
    logger,
    intervalMs: 60_000,
    maxBackoffMs: 1000,
    run: async (signal) => {
      if (isPrepared) return;
      const attempt = runInBackground({ name: 'preparation', logger, timeoutMs: attemptTimeoutMs, signal }, prepare);
      await attempt.finally(firstAttempt.resolve);
      isPrepared = true;
    },
  });
  await settlesWithin(firstAttempt.promise, maxWaitMs);
  return {
    check: () => (isPrepared ? Promise.resolve() : Promise.reject(new Error('not prepared yet'))),
    stop: loop.stop,
  };
}

const cleaningIntervalMs = 3_600_000;
const cleaningTimeoutMs = 30_000;

export function startCleaning({ logger, clean }: { logger: Logger; clean: () => Promise<{ again: boolean }> }): Loop {
  return startLoop({
    name: 'session-cleaning',
    logger,
    intervalMs: cleaningIntervalMs,
    run: (signal) => runInBackground({ name: 'session-cleaning', logger, timeoutMs: cleaningTimeoutMs, signal }, clean),
  });
}

const removalIntervalMs = 5000;
const reportIntervalMs = 60_000;
const removalTimeoutMs = 20_000;

/** The loops that begin removals of accounts, and that measure how they stand. */
export function startRemovals(
  { logger, metrics }: Pick<ServiceBase<AuthConfig>, 'logger' | 'metrics'>,
  deps: AuthDeps,
): { name: string; stop: () => Promise<void> }[] {
  const lag = metrics.gauge(
    'taskflow_account_removal_lag_seconds',
    'How long the oldest account that is to be removed has been waiting for its removal to end.',
  );
  const waiting = metrics.gauge(
    'taskflow_account_removals_waiting',
    'How many accounts are not removed because their successor is missing or disabled.',
  );
  const repeat = (name: string, intervalMs: number, work: () => Promise<{ again: boolean } | void>) => {
    const run = (signal: AbortSignal) => runInBackground({ name, logger, timeoutMs: removalTimeoutMs, signal }, work);
    return { name, stop: startLoop({ name, logger, intervalMs, run }).stop };
  };
  return [
    repeat('account-removals', removalIntervalMs, () => beginRemovals(deps)),
    repeat('account-removal-report', reportIntervalMs, () => reportRemovals(deps, { lag, waiting })),
  ];
}
