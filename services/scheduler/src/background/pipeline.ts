import { TaskEvent } from '#contract/tasks/v1/tasks';
import { createEventConsumer } from '#libs/events';
import { crashPoint, runInBackground, startLoop, type createParts, type Logger, type Metrics } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { taskEventsCursor } from '../domain/events/task-events-cursor.ts';
import type { NotificationRepository } from '../domain/notifications/notification.repository.ts';
import { declareSchedules } from '../use-cases/schedules/declare-schedules.ts';
import { dispatchPending, enqueueClaimed } from '../use-cases/jobs/dispatch-pending.ts';
import { followPausedQueues, type PausableWorker } from '../use-cases/jobs/follow-paused-queues.ts';
import { ingestEvents } from '../use-cases/events/ingest-events.ts';
import { planDeliveries } from '../use-cases/notifications/plan-deliveries.ts';
import { reconcile } from '../use-cases/jobs/reconcile.ts';
import { tickSchedules } from '../use-cases/schedules/tick-schedules.ts';

export interface PipelineOptions {
  logger: Logger;
  metrics: Metrics;
  parts: ReturnType<typeof createParts>;
}

/** How long a pending row waits without a wake-up of the dispatcher, and how long a lost job is missing. */
const dispatchIntervalMs = 1_000;
const reconcileIntervalMs = 3_000;
/** How late a fire time may be noticed; the question costs a look at one small index. */
const tickIntervalMs = 500;
const runTimeoutMs = 30_000;

/** Wakes the dispatcher, also before there is one. */
export interface DispatcherSignal {
  notify: () => void;
}

type Run = (signal: AbortSignal) => Promise<{ again: boolean } | void>;

/** Starts the background work: fire times, pulling events, dispatching, reconciling. Every replica runs all of it. */
export function startPipeline(
  deps: SchedulerDeps,
  { logger, metrics, parts }: PipelineOptions,
  dispatcher: DispatcherSignal,
): void {
  const repeat = (
    name: string,
    intervalMs: number,
    work: () => ReturnType<Run>,
    atLast = async () => undefined as void,
  ) => {
    const run: Run = (signal) => runInBackground({ name, logger, timeoutMs: runTimeoutMs, signal }, work);
    const loop = startLoop({ name, logger, intervalMs, run });
    parts.add({ name, stop: () => loop.stop().then(atLast) });
    return loop;
  };
  // At its end the process enqueues its claimed jobs, which would otherwise wait for the reconciler.
  dispatcher.notify = repeat(
    'dispatcher',
    dispatchIntervalMs,
    () => dispatchPending(deps),
    () => enqueueClaimed(deps),
  ).wake;
  repeat('reconciler', reconcileIntervalMs, () => reconcile(deps));
  repeat('planner', dispatchIntervalMs, () => planDeliveries(deps));
  repeat('ticker', tickIntervalMs, createTicker(deps));

  const consumer = createEventConsumer<{ notifications: NotificationRepository }, TaskEvent>({
    name: taskEventsCursor,
    logger,
    metrics,
    clock: deps.clock,
    pull: (after) => deps.tasks.pullEvents(after),
    uow: deps.uow,
    handle: (events, repositories) => ingestEvents(deps, events, repositories),
    encode: (event) => TaskEvent.encode(event).finish(),
    afterCommit: async () => {
      crashPoint('ingest.after-commit');
      deps.notifyDispatcher();
    },
  });
  consumer.start();
  parts.add({ name: 'event consumer', stop: consumer.stop });
}

/** Half of the time that the contract allows PauseQueue, less the time of a slow answer. */
const pauseIntervalMs = 500;
const pauseTimeoutMs = 3_000;

/** Keeps the worker of this process from the queues that administrators have paused. */
export function startFollowingPausedQueues(
  deps: SchedulerDeps,
  { logger, parts }: PipelineOptions,
  worker: PausableWorker,
): void {
  const name = 'paused queues';
  const run: Run = (signal) =>
    runInBackground({ name, logger, timeoutMs: pauseTimeoutMs, signal }, () => followPausedQueues(deps, worker));
  const loop = startLoop({ name, logger, intervalMs: pauseIntervalMs, maxBackoffMs: pauseIntervalMs, run });
  parts.add({ name, stop: loop.stop });
}

/** The database may start later than this process, so the first run that reaches it declares the schedules. */
function createTicker(deps: SchedulerDeps): () => Promise<{ again: boolean }> {
  let declared = false;
  return async () => {
    if (!declared) await declareSchedules(deps);
    declared = true;
    return tickSchedules(deps);
  };
}
