import type { Repositories, SchedulerDeps } from '../deps.ts';
import { rowsKeptMs } from '../domain/retention.ts';
import { taskEventsCursor } from '../domain/parked-event.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'retention'>;

/** One statement's, which takes well under a second. */
const batchSize = 5_000;

/** Forgets one batch of each kind of record that has ended long ago. */
export async function pruneHistory({ uow, retention }: Deps): Promise<{ again: boolean }> {
  const prunings: ((repositories: Repositories) => Promise<number>)[] = [
    ({ history }) => history.pruneNotifications(rowsKeptMs(retention.notificationsMs), batchSize),
    // A retry has no effect any more: the event is too old to be told of.
    ({ cursor }) => cursor.pruneParked(taskEventsCursor, rowsKeptMs(retention.notificationsMs), batchSize),
    ({ history }) => history.pruneDeliveries(retention.deliveriesMs, batchSize),
    ({ webhookRuns }) => webhookRuns.prune(retention.deliveriesMs, batchSize),
    ({ history }) => history.pruneScheduleRuns(retention.jobsMs, batchSize),
    ({ history }) => history.pruneDeadLetters(retention.jobsMs, batchSize),
    ({ history }) => history.pruneAdminActions(retention.adminActionsMs, batchSize),
  ];
  let again = false;
  // Each in a transaction of its own: locks are short, and one table's trouble takes nothing back from the others.
  for (const prune of prunings) if ((await uow.run(prune)) === batchSize) again = true;
  return { again };
}
