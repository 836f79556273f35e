import type { PendingNotification, SchedulerDeps } from '../deps.ts';
import { isStale } from '../domain/staleness.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'read' | 'tasks' | 'metrics'>;

export interface DeliverInput {
  notificationIds: string[];
  /** How often this has been tried, this time included. */
  attempts: number;
}

/** Delivers what is still true and drops what is not. Doing it twice has no further effect. */
export async function deliverNotifications({ uow, read, tasks, metrics }: Deps, { notificationIds, attempts }: DeliverInput): Promise<void> {
  const pending = await read.pending(notificationIds);
  if (pending.length === 0) return;
  const states = await tasks.states([...new Set(pending.map(({ taskId }) => taskId))]);
  const stale = pending.filter((notification) => isStale(notification, states.get(notification.taskId)));
  const current = pending.filter((notification) => !stale.includes(notification));

  const settled = await uow.run(async ({ notifications }) => ({
    delivered: await notifications.settle(idsOf(current), { state: 'delivered', attempts, error: '' }),
    stale: await notifications.settle(idsOf(stale), { state: 'stale', attempts, error: '' }),
  }));
  metrics.delivered(settled.delivered);
  metrics.stale(settled.stale);
}

/** In one order everywhere, so that two jobs with the same notifications wait for each other instead of deadlocking. */
function idsOf(notifications: PendingNotification[]): string[] {
  return notifications.map(({ id }) => id).sort();
}
