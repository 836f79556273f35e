import { toAppError } from '#libs/errors';
import type { SchedulerDeps } from '../deps.ts';
import { overdueSweepId } from '../domain/schedule.entity.ts';
import { scheduleNotFound } from '../domain/schedule.errors.ts';
import type { RunResult } from '../domain/schedule.repository.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'tasks' | 'metrics'>;

export interface RunScheduleInput {
  scheduleId: string;
  /** Of the recorded run; '' for a tick. */
  runId: string;
  signal: AbortSignal;
}

type Work = (deps: Deps, signal: AbortSignal) => Promise<string>;

/** What each schedule does; the text says what it came to. */
const works: Readonly<Record<string, Work>> = { [overdueSweepId]: sweepOverdue };

/** Does a schedule's work and records what came of it; throws what the work threw. */
export async function runSchedule(deps: Deps, { scheduleId, runId, signal }: RunScheduleInput): Promise<void> {
  const work = works[scheduleId];
  if (work === undefined) throw scheduleNotFound(scheduleId);
  if (runId !== '' && !(await isPending(deps, runId))) return;
  try {
    const text = await work(deps, signal);
    await record(deps, { scheduleId, runId }, { text, failed: false });
  } catch (error) {
    await record(deps, { scheduleId, runId }, { text: toAppError(error).message, failed: true }).catch(() => undefined);
    throw error;
  }
}

/** A run whose job came twice is not done twice, except when both are under way: the work itself bears that. */
function isPending({ uow }: Deps, runId: string): Promise<boolean> {
  return uow.run(({ schedules }) => schedules.lockPendingRun(runId));
}

async function record({ uow, metrics }: Deps, { scheduleId, runId }: Omit<RunScheduleInput, 'signal'>, result: RunResult): Promise<void> {
  await uow.run(async ({ schedules }) => {
    await schedules.recordResult(scheduleId, result);
    if (runId !== '' && !result.failed) await schedules.finishRun(runId, 'done', result.text);
  });
  metrics.scheduleRan(scheduleId, result.failed ? 'failed' : 'succeeded');
}

async function sweepOverdue({ tasks }: Deps, signal: AbortSignal): Promise<string> {
  let marked = 0;
  for (;;) {
    signal.throwIfAborted();
    const batch = await tasks.sweepOverdue();
    marked += batch.marked;
    if (!batch.more) return `marked ${marked}`;
  }
}
