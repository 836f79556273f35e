import { TaskEvent } from '#contract/tasks/v1/tasks';
import { createPuller } from '#libs/events';
import { runInBackground, startLoop, type createParts, type Logger, type Metrics } from '#libs/runtime';
import type { SchedulerDeps } from './deps.ts';
import { declareSchedules } from './use-cases/declare-schedules.ts';
import { dispatchPending } from './use-cases/dispatch-pending.ts';
import { ingestEvents } from './use-cases/ingest-events.ts';
import { reconcile } from './use-cases/reconcile.ts';

export interface PipelineOptions {
  logger: Logger;
  metrics: Metrics;
  parts: ReturnType<typeof createParts>;
}

/** The way of everything pending: how long it may take when nobody wakes the loop. */
const dispatchIntervalMs = 1_000;
const reconcileIntervalMs = 3_000;
const runTimeoutMs = 30_000;

/** Wakes the dispatcher, also before there is one. */
export interface Doorbell {
  ring: () => void;
}

/** Starts what works without being called: pulling events, dispatching, reconciling. Every replica runs all of it. */
export function startPipeline(deps: SchedulerDeps, { logger, metrics, parts }: PipelineOptions, doorbell: Doorbell): void {
  const background = <T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> =>
    runInBackground({ name, logger, timeoutMs: runTimeoutMs, signal }, work);

  const dispatcher = startLoop({
    name: 'dispatcher',
    logger,
    intervalMs: dispatchIntervalMs,
    run: (signal) => background('dispatcher', signal, () => dispatchPending(deps)),
  });
  parts.add({ name: 'dispatcher', stop: dispatcher.stop });
  doorbell.ring = dispatcher.wake;

  let declared = false;
  const reconciler = startLoop({
    name: 'reconciler',
    logger,
    intervalMs: reconcileIntervalMs,
    run: (signal) =>
      background('reconciler', signal, async () => {
        if (!declared) await declareSchedules(deps);
        declared = true;
        await reconcile(deps);
      }),
  });
  parts.add({ name: 'reconciler', stop: reconciler.stop });

  const puller = createPuller<{ notifications: Parameters<typeof ingestEvents>[2]['notifications'] }, TaskEvent>({
    name: 'tasks',
    logger,
    metrics,
    pull: (after) => deps.tasks.pullEvents(after),
    uow: deps.uow,
    handle: (events, repositories) => ingestEvents(deps, events, repositories),
    encode: (event) => TaskEvent.encode(event).finish(),
    afterCommit: async () => deps.wakeDispatch(),
  });
  puller.start();
  parts.add({ name: 'event puller', stop: puller.stop });
}
