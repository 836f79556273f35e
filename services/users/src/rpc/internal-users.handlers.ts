import type { InternalUsersServiceService } from '#contract/users/v1/users';
import { parseRequest } from '#libs/errors';
import type { Handlers } from '#libs/grpc';
import type { UsersDeps } from '../deps.ts';
import { batchGetNotificationSettings } from '../use-cases/batch-get-notification-settings.ts';
import { batchGetUsers } from '../use-cases/batch-get-users.ts';
import { upsertProfile } from '../use-cases/upsert-profile.ts';
import { toAccountCopy, toSettingsMessage } from './users.mapper.ts';
import { batchGetUsersSchema, upsertProfileSchema } from './users.schemas.ts';

export function internalUsersHandlers(deps: UsersDeps): Handlers<InternalUsersServiceService> {
  return {
    upsertProfile: async (request) => {
      await upsertProfile(deps, toAccountCopy(parseRequest(upsertProfileSchema, request)));
      return {};
    },
    batchGetUsers: async (request) => batchGetUsers(deps, parseRequest(batchGetUsersSchema, request).userIds),
    batchGetNotificationSettings: async (request) => {
      const settings = await batchGetNotificationSettings(deps, parseRequest(batchGetUsersSchema, request).userIds);
      return { settings: settings.map(toSettingsMessage) };
    },
  };
}
