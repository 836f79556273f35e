import { TaskEvent } from '#contract/tasks/v1/tasks';
import { createPuller } from '#libs/events';
import { crashPoint, runInBackground, startLoop, type createParts, type Logger, type Metrics } from '#libs/runtime';
import type { SchedulerDeps } from './deps.ts';
import { taskEventsCursor } from './domain/parked-event.ts';
import type { NotificationRepository } from './domain/notification.repository.ts';
import { declareSchedules } from './use-cases/declare-schedules.ts';
import { dispatchPending, enqueueClaimed } from './use-cases/dispatch-pending.ts';
import { followHolds, type HoldableWorker } from './use-cases/follow-holds.ts';
import { ingestEvents } from './use-cases/ingest-events.ts';
import { planDeliveries } from './use-cases/plan-deliveries.ts';
import { reconcile } from './use-cases/reconcile.ts';
import { tickSchedules } from './use-cases/tick-schedules.ts';

export interface PipelineOptions {
  logger: Logger;
  metrics: Metrics;
  parts: ReturnType<typeof createParts>;
}

/** How long something pending waits when nobody wakes the dispatcher, and how long a lost job is missing. */
const dispatchIntervalMs = 1_000;
const reconcileIntervalMs = 3_000;
/** How late a fire time may be noticed; the question costs a look at one small index. */
const tickIntervalMs = 500;
const runTimeoutMs = 30_000;

/** Wakes the dispatcher, also before there is one. */
export interface Doorbell {
  ring: () => void;
}

type Run = (signal: AbortSignal) => Promise<{ again: boolean } | void>;

/** Starts what works without being called: fire times, pulling events, dispatching, reconciling. Every replica runs all of it. */
export function startPipeline(deps: SchedulerDeps, { logger, metrics, parts }: PipelineOptions, doorbell: Doorbell): void {
  const repeat = (name: string, intervalMs: number, work: () => ReturnType<Run>, atLast = async () => undefined as void) => {
    const run: Run = (signal) => runInBackground({ name, logger, timeoutMs: runTimeoutMs, signal }, work);
    const loop = startLoop({ name, logger, intervalMs, run });
    parts.add({ name, stop: () => loop.stop().then(atLast) });
    return loop;
  };
  // What is claimed should not have to wait for the reconciler because this process stops.
  doorbell.ring = repeat('dispatcher', dispatchIntervalMs, () => dispatchPending(deps), () => enqueueClaimed(deps)).wake;
  repeat('reconciler', reconcileIntervalMs, () => reconcile(deps));
  repeat('planner', dispatchIntervalMs, () => planDeliveries(deps));
  repeat('ticker', tickIntervalMs, createTicker(deps));

  const puller = createPuller<{ notifications: NotificationRepository }, TaskEvent>({
    name: taskEventsCursor,
    logger,
    metrics,
    pull: (after) => deps.tasks.pullEvents(after),
    uow: deps.uow,
    handle: (events, repositories) => ingestEvents(deps, events, repositories),
    encode: (event) => TaskEvent.encode(event).finish(),
    afterCommit: async () => {
      crashPoint('ingest.after-commit');
      deps.wakeDispatch();
    },
  });
  puller.start();
  parts.add({ name: 'event puller', stop: puller.stop });
}

/** Half of what PauseQueue may take, less what a slow answer takes. */
const holdIntervalMs = 500;
const holdTimeoutMs = 3_000;

/** Keeps the worker of this process from the queues that administrators have paused. */
export function startFollowingHolds(deps: SchedulerDeps, { logger, parts }: PipelineOptions, worker: HoldableWorker): void {
  const name = 'queue holds';
  const run: Run = (signal) => runInBackground({ name, logger, timeoutMs: holdTimeoutMs, signal }, () => followHolds(deps, worker));
  const loop = startLoop({ name, logger, intervalMs: holdIntervalMs, maxBackoffMs: holdIntervalMs, run });
  parts.add({ name, stop: loop.stop });
}

/** The database may come up later than this process, so the schedules are declared by the first run that reaches it. */
function createTicker(deps: SchedulerDeps): () => Promise<{ again: boolean }> {
  let declared = false;
  return async () => {
    if (!declared) await declareSchedules(deps);
    declared = true;
    return tickSchedules(deps);
  };
}
