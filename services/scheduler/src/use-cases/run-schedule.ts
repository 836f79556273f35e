import { toAppError } from '#libs/errors';
import { crashPoint } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import type { SchedulableJob } from '../domain/schedule.entity.ts';
import { scheduleNotFound } from '../domain/schedule.errors.ts';
import { pruneHistory } from './prune-history.ts';
import { pruneRequests } from './prune-requests.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'retention' | 'tasks' | 'metrics' | 'logger' | 'wakeDispatch'>;

export interface RunScheduleInput {
  scheduleId: string;
  /** Of the recorded run. */
  runId: string;
  signal: AbortSignal;
}

type Work = (deps: Deps, signal: AbortSignal) => Promise<string>;

/** What each schedulable job does; the text says what it came to. All of them bear being done twice at once. */
const works: Readonly<Record<SchedulableJob, Work>> = { 'sweep-overdue': sweepOverdue, 'prune-records': pruneRecords };

/** Does a recorded run and records what came of it; throws what the work threw. A run that has ended is not done again. */
export async function runSchedule(deps: Deps, { scheduleId, runId, signal }: RunScheduleInput): Promise<void> {
  const { logger } = deps;
  const run = await deps.uow.run(({ scheduleRuns }) => scheduleRuns.begin(runId));
  if (run === undefined) return logger.info({ scheduleId, runId }, 'a run had ended before');
  crashPoint('run.begun');
  const work = (works as Partial<Record<string, Work>>)[run.job ?? ''];
  // The schedule is gone, or a later release knew its job.
  if (work === undefined) throw scheduleNotFound(scheduleId);
  try {
    const text = await work(deps, signal);
    crashPoint('run.worked');
    await record(deps, { scheduleId, runId }, { text, failed: false });
    // The schedule's next run may have waited for this one.
    deps.wakeDispatch();
  } catch (error) {
    await record(deps, { scheduleId, runId }, { text: toAppError(error).message, failed: true }).catch(() => undefined);
    throw error;
  }
}

async function record({ uow, metrics }: Deps, { scheduleId, runId }: Omit<RunScheduleInput, 'signal'>, result: { text: string; failed: boolean }): Promise<void> {
  await uow.run(async ({ schedules, scheduleRuns }) => {
    await schedules.recordResult(scheduleId, result);
    if (!result.failed) await scheduleRuns.finish(runId, 'done', result.text);
  });
  metrics.scheduleRan(scheduleId, result.failed ? 'failed' : 'succeeded');
}

/** Each batch begins where the last one ended; what has become due before that meanwhile is found at the end, from the beginning. */
async function sweepOverdue({ tasks }: Deps, signal: AbortSignal): Promise<string> {
  let marked = 0;
  let from: Date | undefined;
  for (;;) {
    signal.throwIfAborted();
    const batch = await tasks.sweepOverdue(from);
    marked += batch.marked;
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
