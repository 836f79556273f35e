import type { SchedulerDeps } from '../deps.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'read' | 'queue' | 'logger' | 'wakeDispatch'>;

const pageSize = 1_000;

/** Finds pending work whose job Redis has lost, and frees it to get another job. Two jobs for one thing are harmless. */
export async function recoverLostJobs({ uow, read, queue, logger, wakeDispatch }: Deps): Promise<void> {
  let after = '';
  for (;;) {
    const expected = await read.expectedJobs(after, pageSize);
    if (expected.length === 0) return;
    const alive = await queue.findAlive(expected);
    const lost = expected.filter((jobId) => !alive.has(jobId));
    // Most of them have just done their work: only what is still pending was lost.
    const released = lost.length === 0 ? 0 : await release({ uow }, lost);
    if (released > 0) {
      logger.warn({ released }, 'lost jobs are replaced');
      wakeDispatch();
    }
    after = expected.at(-1) ?? '';
    if (expected.length < pageSize) return;
  }
}

function release({ uow }: Pick<Deps, 'uow'>, lost: string[]): Promise<number> {
  return uow.run(
    async ({ notifications, scheduleRuns, webhookRuns }) =>
      (await notifications.release(lost)) + (await scheduleRuns.release(lost)) + (await webhookRuns.release(lost)),
  );
}
