import type { BatchGetNotificationSettingsResponse } from '#contract/users/v1/users';
import type { UsersDeps } from '../deps.ts';
import { toSettingsMessage } from '../domain/profile.columns.ts';

/** The settings of the known users among the ids. */
export async function batchGetNotificationSettings(
  { reader }: Pick<UsersDeps, 'reader'>,
  userIds: readonly string[],
): Promise<BatchGetNotificationSettingsResponse> {
  const settings = await reader.listNotificationSettings([...new Set(userIds)]);
  return { settings: settings.map(toSettingsMessage) };
}
