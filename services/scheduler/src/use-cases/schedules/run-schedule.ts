import { ScheduleJob } from '#contract/scheduler/v1/scheduler';
import { toAppError } from '#libs/errors';
import { crashPoint } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { scheduleNotFound } from '../../domain/schedules/schedule.errors.ts';
import { pruneHistory } from './prune-history.ts';
import { pruneRequests } from './prune-requests.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'retention' | 'tasks' | 'metrics' | 'logger' | 'notifyDispatcher'>;

export interface RunScheduleInput {
  scheduleId: string;
  /** Of the recorded run. */
  runId: string;
  signal: AbortSignal;
}

type Handler = (deps: Deps, signal: AbortSignal) => Promise<string>;

type SchedulableJob = Exclude<ScheduleJob, ScheduleJob.UNSPECIFIED | ScheduleJob.UNRECOGNIZED>;

/** The jobs of schedules; each returns its result as text. Running one twice at the same time is harmless. */
const handlers: Record<SchedulableJob, Handler> = {
  [ScheduleJob.SWEEP_OVERDUE]: sweepOverdue,
  [ScheduleJob.PRUNE_RECORDS]: pruneRecords,
};

/** Executes a recorded run and records its result; throws what its job threw. A run that has ended is not repeated. */
export async function runSchedule(deps: Deps, { scheduleId, runId, signal }: RunScheduleInput): Promise<void> {
  const { logger } = deps;
  const run = await deps.uow.run(({ scheduleRuns }) => scheduleRuns.begin(runId));
  if (run === undefined) return logger.info({ scheduleId, runId }, 'a run had ended before');
  crashPoint('run.begun');
  const handle = (handlers as Partial<Record<string, Handler>>)[run.job ?? ''];
  // The schedule is gone, or a later release knew its job.
  if (handle === undefined) throw scheduleNotFound(scheduleId);
  try {
    const text = await handle(deps, signal);
    crashPoint('run.worked');
    await record(deps, { scheduleId, runId }, { text, failed: false });
    // The schedule's next run may have waited for this one.
    deps.notifyDispatcher();
  } catch (error) {
    await record(deps, { scheduleId, runId }, { text: toAppError(error).message, failed: true }).catch(() => undefined);
    throw error;
  }
}

async function record(
  { uow, metrics }: Deps,
  { scheduleId, runId }: Omit<RunScheduleInput, 'signal'>,
  result: { text: string; failed: boolean },
): Promise<void> {
  await uow.run(async ({ schedules, scheduleRuns }) => {
    await schedules.recordResult(scheduleId, result);
    if (!result.failed) await scheduleRuns.finish(runId, 'done', result.text);
  });
  metrics.scheduleRan(scheduleId, result.failed ? 'failed' : 'succeeded');
}

/** Each batch starts where the last one ended. A final pass from the beginning finds what became due before that meanwhile. */
async function sweepOverdue({ tasks }: Deps, signal: AbortSignal): Promise<string> {
  let marked = 0;
  let from: Date | undefined;
  for (;;) {
    signal.throwIfAborted();
    const batch = await tasks.sweepOverdue(from);
    marked += batch.markedCount;
    if (!batch.more && from === undefined) return `marked ${marked}`;
    from = batch.nextDueTime;
  }
}

async function pruneRecords(deps: Deps, signal: AbortSignal): Promise<string> {
  for (;;) {
    signal.throwIfAborted();
    const again = [await pruneRequests(deps), await pruneHistory(deps)].some((pruned) => pruned.again);
    if (!again) return 'pruned';
  }
}
