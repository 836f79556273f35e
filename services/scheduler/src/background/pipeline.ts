import { TaskEvent } from '#contract/tasks/v1/tasks';
import { createEventConsumer } from '#libs/events';
import {
  crashPoint,
  runInBackground,
  startLoop,
  type createParts,
  type Logger,
  type Loop,
  type LoopOptions,
  type Metrics,
} from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { taskEventsCursor } from '../domain/events/task-events-cursor.ts';
import { declareSchedules } from '../use-cases/schedules/declare-schedules.ts';
import { dispatchPending, enqueueClaimed } from '../use-cases/jobs/dispatch-pending.ts';
import { lookForWork, type Nudges, type PausableWorker } from '../use-cases/jobs/look-for-work.ts';
import { ingestEvents, type IngestRepositories } from '../use-cases/events/ingest-events.ts';
import { planDeliveries } from '../use-cases/notifications/plan-deliveries.ts';
import { reconcile } from '../use-cases/jobs/reconcile.ts';
import { pullEvents } from '../use-cases/webhooks/pull-events.ts';
import { tickSchedules } from '../use-cases/schedules/tick-schedules.ts';

export interface PipelineOptions {
  logger: Logger;
  metrics: Metrics;
  parts: ReturnType<typeof createParts>;
  /** Kept from the queues that administrators have paused. */
  worker: PausableWorker;
}

/**
 * How late a fire time and a pending row may be noticed, and half of the time that the contract allows PauseQueue, less
 * the time of a slow answer. One look serves all loops.
 */
const lookIntervalMs = 500;
const lookTimeoutMs = 3_000;
/** How often the loops that a look nudges run without one. */
const nudgedIntervalMs = 10_000;
const nudgedBackoffMs = 500;
/** How long a lost job is missing. */
const reconcileIntervalMs = 3_000;
const runTimeoutMs = 30_000;

/** Wakes the dispatcher, also before there is one. */
export interface DispatcherSignal {
  notify: () => void;
}

type Run = (signal: AbortSignal) => Promise<{ again: boolean } | void>;

/** Starts the background work: fire times, pulling events, dispatching, reconciling. Every replica runs all of it. */
export function startPipeline(deps: SchedulerDeps, options: PipelineOptions, dispatcher: DispatcherSignal): void {
  const { logger, metrics, parts } = options;
  const nudged = { intervalMs: nudgedIntervalMs, firstBackoffMs: nudgedBackoffMs };
  // At its end the process enqueues its claimed jobs, which would otherwise wait for the reconciler.
  const dispatching = repeat(options, 'dispatcher', {
    ...nudged,
    work: () => dispatchPending(deps),
    atLast: () => enqueueClaimed(deps),
  });
  dispatcher.notify = dispatching.wake;
  repeat(options, 'reconciler', { intervalMs: reconcileIntervalMs, work: () => reconcile(deps) });
  const planning = repeat(options, 'planner', { ...nudged, work: () => planDeliveries(deps) });
  const ticking = repeat(options, 'ticker', { ...nudged, work: createTicker(deps) });
  const nudges: Nudges = { dispatcher: dispatching.nudge, planner: planning.nudge, ticker: ticking.nudge };
  repeat(options, 'look for work', {
    intervalMs: lookIntervalMs,
    maxBackoffMs: lookIntervalMs,
    timeoutMs: lookTimeoutMs,
    work: () => lookForWork(deps, options.worker, nudges),
  });

  const consumer = createEventConsumer<IngestRepositories, TaskEvent>({
    name: taskEventsCursor,
    logger,
    metrics,
    clock: deps.clock,
    pull: (after) => pullEvents(deps, after),
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

interface Repeated extends Pick<LoopOptions, 'intervalMs' | 'firstBackoffMs' | 'maxBackoffMs'> {
  timeoutMs?: number;
  work: () => ReturnType<Run>;
  /** Runs once more when the loop has stopped. */
  atLast?: () => Promise<void>;
}

/** A loop that is a part of the process. */
function repeat(
  { logger, parts }: PipelineOptions,
  name: string,
  { timeoutMs = runTimeoutMs, work, atLast = async () => undefined, ...pauses }: Repeated,
): Loop {
  const run: Run = (signal) => runInBackground({ name, logger, timeoutMs, signal }, work);
  const loop = startLoop({ name, logger, run, ...pauses });
  parts.add({ name, stop: () => loop.stop().then(atLast) });
  return loop;
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
