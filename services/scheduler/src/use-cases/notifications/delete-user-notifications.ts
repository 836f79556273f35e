import type { DeleteUserNotificationsResponse } from '#contract/scheduler/v1/notifications';
import { crashPoint } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';

const batchSize = 1000;

/** Removes a batch of what is kept for a user whose account is being removed. */
export async function deleteUserNotifications(
  { uow }: Pick<SchedulerDeps, 'uow'>,
  userId: string,
): Promise<DeleteUserNotificationsResponse> {
  const more = await uow.run(async ({ removedUsers }) => {
    await removedUsers.add(userId);
    const isMore = await removedUsers.removeBatch(userId, batchSize);
    crashPoint('delete-user-notifications.before-commit');
    return isMore;
  });
  crashPoint('delete-user-notifications.after-commit');
  return { more };
}
