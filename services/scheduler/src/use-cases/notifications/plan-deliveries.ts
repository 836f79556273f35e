import { findTimeZone } from '#libs/errors';
import type { SchedulerDeps } from '../../deps.ts';
import type { UnplannedNotification } from '../../domain/notifications/notification.repository.ts';
import { firstOverdueHour } from '../../domain/notifications/overdue-hour.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'users' | 'notifyDispatcher'>;

const batchSize = 1_000;

/**
 * Plans notifications about overdue days for the hour that their recipients have chosen. Whether a task is overdue was decided
 * before. While users is away they wait; other notifications are delivered.
 */
export async function planDeliveries({ uow, users, notifyDispatcher }: Deps): Promise<{ again: boolean }> {
  const unplanned = await uow.run(({ notifications }) => notifications.listUnplanned(batchSize));
  if (unplanned.length === 0) return { again: false };
  const settings = await users.settings(unplanned.map(({ recipientId }) => recipientId));
  const timeOf = ({ recipientId, dueTime }: UnplannedNotification): Date => {
    const wish = settings.get(recipientId);
    if (wish === undefined || dueTime === null) return dueTime ?? new Date(0);
    // An earlier release accepted unknown zones. One such profile must not stop the notifications of others.
    const timeZone = findTimeZone(wish.timeZone) ?? 'UTC';
    return firstOverdueHour(dueTime, { timeZone, hour: wish.overdueHour });
  };
  await uow.run(({ notifications }) =>
    notifications.plan(unplanned.map((one) => ({ id: one.id, deliverAfter: timeOf(one) }))),
  );
  notifyDispatcher();
  return { again: unplanned.length === batchSize };
}
