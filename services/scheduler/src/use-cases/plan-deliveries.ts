import type { SchedulerDeps } from '../deps.ts';
import type { UnplannedNotification } from '../domain/notification.repository.ts';
import { firstOverdueHour } from '../domain/overdue-hour.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'users' | 'wakeDispatch'>;

const batchSize = 1_000;

/**
 * Gives notifications of days that have passed the moment when their recipients want to hear of them. Whether a task is
 * overdue has been decided long before. Without users they wait; all others go out.
 */
export async function planDeliveries({ uow, users, wakeDispatch }: Deps): Promise<{ again: boolean }> {
  const unplanned = await uow.run(({ notifications }) => notifications.listUnplanned(batchSize));
  if (unplanned.length === 0) return { again: false };
  const settings = await users.settings(unplanned.map(({ recipientId }) => recipientId));
  const timeOf = ({ recipientId, dueTime }: UnplannedNotification): Date => {
    const wish = settings.get(recipientId);
    // Who has no profile (yet) has no wish.
    return wish === undefined ? dueTime : firstOverdueHour(dueTime, { timeZone: wish.timeZone, hour: wish.overdueHour });
  };
  await uow.run(({ notifications }) => notifications.plan(unplanned.map((one) => ({ id: one.id, deliverAfter: timeOf(one) }))));
  wakeDispatch();
  return { again: unplanned.length === batchSize };
}
