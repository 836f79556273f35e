import type { SchedulerDeps } from '../deps.ts';
import { recoverLostJobs } from './recover-lost-jobs.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'read' | 'queue' | 'logger' | 'metrics' | 'wakeDispatch'>;

/** Brings the queue in line with PostgreSQL, which is the truth: whatever is pending has a live job. */
export async function reconcile(deps: Deps): Promise<void> {
  const { read, queue, metrics } = deps;
  await queue.measure();
  metrics.waiting(await read.counts());
  if (!queue.isReachable()) return;
  await recoverLostJobs(deps);
}
