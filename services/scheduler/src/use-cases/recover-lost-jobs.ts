import type { ReleasedJobs, SchedulerDeps } from '../deps.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'read' | 'queue' | 'logger' | 'metrics' | 'wakeDispatch'>;

const pageSize = 1_000;
const none: ReleasedJobs = { notification: 0, 'schedule-run': 0, webhook: 0 };

/** Finds pending work whose job Redis has lost, and frees it to get another job. Two jobs for one thing are harmless. */
export async function recoverLostJobs({ uow, read, queue, logger, metrics, wakeDispatch }: Deps): Promise<void> {
  let after = '';
  for (;;) {
    const expected = await read.expectedJobs(after, pageSize);
    if (expected.length === 0) return;
    const alive = await queue.findAlive(expected);
    const lost = expected.filter((jobId) => !alive.has(jobId));
    // Most of them have just done their work: only what is still pending was lost.
    const counts = lost.length === 0 ? none : await release({ uow }, lost);
    const released = counts.notification + counts['schedule-run'] + counts.webhook;
    if (released > 0) {
      metrics.reconciled(counts);
      logger.warn({ released }, 'lost jobs are replaced');
      wakeDispatch();
    }
    after = expected.at(-1) ?? '';
    if (expected.length < pageSize) return;
  }
}

function release({ uow }: Pick<Deps, 'uow'>, lost: string[]): Promise<ReleasedJobs> {
  return uow.run(async ({ notifications, scheduleRuns, webhookRuns }) => ({
    notification: await notifications.release(lost),
    'schedule-run': await scheduleRuns.release(lost),
    webhook: await webhookRuns.release(lost),
  }));
}
