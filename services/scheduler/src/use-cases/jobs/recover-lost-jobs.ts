import type { SchedulerDeps } from '../../deps.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'queue' | 'jobWork' | 'logger' | 'metrics' | 'notifyDispatcher'>;
type Work = Deps['jobWork'][number];

const pageSize = 1_000;

/** Finds pending rows whose job Redis has lost, and frees them to get another job. Two jobs for one row are harmless. */
export async function recoverLostJobs(deps: Deps): Promise<void> {
  for (const work of deps.jobWork) {
    let after: string | undefined = '';
    while (after !== undefined) after = await recoverPage(deps, work, after);
  }
}

/** Returns the id behind which the next page begins; undefined at the end. */
async function recoverPage(
  { uow, queue, metrics, logger, notifyDispatcher }: Deps,
  { effect, rows }: Work,
  after: string,
): Promise<string | undefined> {
  const expected = await uow.run((repositories) => rows(repositories).expectedJobs(after, pageSize));
  if (expected.length === 0) return undefined;
  const alive = await queue.findAlive(expected);
  const lost = expected.filter((jobId) => !alive.has(jobId));
  // Most of these jobs have just ended: only jobs whose rows are still pending were lost.
  const released = lost.length === 0 ? 0 : await uow.run((repositories) => rows(repositories).release(lost));
  if (released > 0) {
    metrics.reconciled(effect, released);
    logger.warn({ released, kind: effect }, 'lost jobs are replaced');
    notifyDispatcher();
  }
  return expected.length < pageSize ? undefined : expected.at(-1);
}
