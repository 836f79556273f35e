import { InternalUsersServiceService } from '#contract/users/v1/users';
import { createClient, type ClientOptions } from '#libs/grpc';
import type { UsersPort } from '../domain/notifications/users.port.ts';

/** The most that users takes in one call. */
const maxIds = 1_000;

export function openUsers(options: Omit<ClientOptions, 'callee'>): UsersPort & { close(): void } {
  const users = createClient(InternalUsersServiceService, { ...options, callee: 'users' });
  return {
    settings: async (userIds) => {
      const ids = [...new Set(userIds)];
      const pages = Array.from({ length: Math.ceil(ids.length / maxIds) }, (_, page) =>
        ids.slice(page * maxIds, (page + 1) * maxIds),
      );
      const answers = await Promise.all(
        pages.map((page) => users.client.batchGetNotificationSettings({ userIds: page })),
      );
      return new Map(answers.flatMap(({ settings }) => settings).map((settings) => [settings.userId, settings]));
    },
    close: users.close,
  };
}
