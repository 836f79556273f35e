import type { SchedulerDeps } from '../../deps.ts';
import { recoverLostJobs } from './recover-lost-jobs.ts';

type Deps = Pick<
  SchedulerDeps,
  'uow' | 'readPending' | 'queue' | 'jobWork' | 'logger' | 'metrics' | 'notifyDispatcher'
>;

/** Brings the queue in line with PostgreSQL, which is the truth: every pending row gets a live job. */
export async function reconcile(deps: Deps): Promise<void> {
  const { readPending, queue, metrics } = deps;
  await queue.measure();
  metrics.waiting(await readPending.counts());
  if (!queue.isReachable()) return;
  await recoverLostJobs(deps);
}
