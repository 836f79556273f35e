import type { UsersDeps } from '../deps.ts';
import type { NotificationSettings } from '../domain/profile.repository.ts';

/** Of the known ones among the ids. */
export async function batchGetNotificationSettings({ reader }: Pick<UsersDeps, 'reader'>, userIds: readonly string[]): Promise<NotificationSettings[]> {
  return reader.listNotificationSettings([...new Set(userIds)]);
}
