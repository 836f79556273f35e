import type { Database } from '#libs/db';
import { runInBackground, startLoop } from '#libs/runtime';
import type { ServiceBase } from '#libs/service';
import type { TasksConfig } from './config.ts';
import { readOverdueLag } from './db/overdue-lag.ts';
import type { TasksDeps } from './deps.ts';
import { maintenance } from './use-cases/maintenance.ts';

type Base = ServiceBase<TasksConfig>;

const measureIntervalMs = 5000;

/** Measures how late the sweep is. */
export function startMeasuring({ logger, metrics, parts }: Base, { reader }: Database): void {
  const lag = metrics.gauge(
    'taskflow_overdue_lag_seconds',
    'How long the oldest due task has been waiting for the sweep.',
  );
  const run = (signal: AbortSignal) =>
    runInBackground({ name: 'measuring', logger, timeoutMs: 4000, signal }, async () =>
      lag.set(await readOverdueLag(reader)),
    );
  const loop = startLoop({ name: 'measuring', logger, intervalMs: measureIntervalMs, run });
  parts.add({ name: 'measuring', stop: loop.stop });
}

/** Starts the loops that remove and bring back what is due. */
export function startMaintenance(
  { logger, parts }: Base,
  deps: TasksDeps,
  { maintenanceIntervalMs: intervalMs = 60_000 }: { maintenanceIntervalMs?: number },
): void {
  for (const [name, turn] of Object.entries(maintenance)) {
    const run = (signal: AbortSignal) => runInBackground({ name, logger, timeoutMs: 10_000, signal }, () => turn(deps));
    const loop = startLoop({ name, logger, intervalMs, run });
    parts.add({ name, stop: loop.stop });
  }
}
