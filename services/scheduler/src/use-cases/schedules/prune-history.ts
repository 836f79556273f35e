import type { Repositories, SchedulerDeps } from '../../deps.ts';
import { rowsKeptMs } from '../../domain/events/retention.ts';
import { taskEventsCursor } from '../../domain/events/task-events-cursor.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'retention'>;

/** One statement's, which takes well under a second. */
const batchSize = 5_000;

/** Deletes one batch of each kind of record whose retention is over. */
export async function pruneHistory({ uow, retention }: Deps): Promise<{ again: boolean }> {
  const prunings: ((repositories: Repositories) => Promise<number>)[] = [
    ({ notifications }) => notifications.prune(rowsKeptMs(retention.notificationsMs), batchSize),
    // A retry would have no effect: the event is older than the retention.
    ({ cursor }) => cursor.pruneDeadLetters(taskEventsCursor, rowsKeptMs(retention.notificationsMs), batchSize),
    ({ deliveries }) => deliveries.prune(retention.deliveriesMs, batchSize),
    ({ webhookRuns }) => webhookRuns.prune(retention.deliveriesMs, batchSize),
    ({ mails }) => mails.prune(retention.deliveriesMs, batchSize),
    ({ scheduleRuns }) => scheduleRuns.prune(retention.jobsMs, batchSize),
    ({ deadLetters }) => deadLetters.prune(retention.jobsMs, batchSize),
    ({ adminActions }) => adminActions.prune(retention.adminActionsMs, batchSize),
  ];
  let again = false;
  // Each in a transaction of its own: locks are short, and one table's trouble takes nothing back from the others.
  for (const prune of prunings) if ((await uow.run(prune)) === batchSize) again = true;
  return { again };
}
