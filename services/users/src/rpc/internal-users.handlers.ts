import { z } from 'zod';
import type {
  BatchFindUsersRequest,
  DeleteProfileRequest,
  InternalUsersServiceService,
  UpsertProfileRequest,
} from '#contract/users/v1/users';
import { fieldTypes, parseRequest } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import type { Handlers } from '#libs/grpc';
import type { UsersDeps } from '../deps.ts';
import type { AccountCopy } from '../domain/profile.columns.ts';
import { batchFindUsers, type BatchFindUsersInput } from '../use-cases/batch-find-users.ts';
import { batchGetNotificationSettings } from '../use-cases/batch-get-notification-settings.ts';
import { batchGetUsers } from '../use-cases/batch-get-users.ts';
import { deleteProfile } from '../use-cases/delete-profile.ts';
import { upsertProfile } from '../use-cases/upsert-profile.ts';
import { role } from './users.schemas.ts';

export function internalUsersHandlers(deps: UsersDeps): Handlers<InternalUsersServiceService> {
  return {
    upsertProfile: (request) => upsertProfile(deps, readUpsertProfile(request)),
    batchGetUsers: (request) => batchGetUsers(deps, parseRequest(usersSchema, request).userIds),
    batchFindUsers: async (request) => batchFindUsers(deps, readBatchFindUsers(request)),
    deleteProfile: (request) => deleteProfile(deps, readUserId(request)),
    batchGetNotificationSettings: (request) =>
      batchGetNotificationSettings(deps, parseRequest(settingsSchema, request).userIds),
  };
}

const [minEmailCharacters, upsert] = [3, fieldsOf('taskflow.users.v1.UpsertProfileRequest')];
const { maxLength: maxEmailCharacters } = upsert.rule('email');
const upsertFields = z.object({
  userId: fieldTypes.uuid(),
  email: upsert.text('email'),
  role,
  enabled: z.boolean(),
  emailVerified: z.boolean(),
  // Auth has checked it; older accounts may have a name of which nothing shows.
  displayName: upsert.text('display_name'),
  accountVersion: upsert.bigint('account_version'),
  accountCreateTime: z.date('must be set'),
  serviceAccount: z.boolean(),
  purgeTime: z.date().optional(),
});
const upsertSchema = upsertFields.refine(
  ({ email, serviceAccount }) => serviceAccount || email.length >= minEmailCharacters,
  { path: ['email'], message: `must have ${minEmailCharacters} to ${maxEmailCharacters} characters`, when: () => true },
);

function readUpsertProfile(request: UpsertProfileRequest): AccountCopy {
  const { userId: id, accountCreateTime: createTime, purgeTime = null, ...copy } = parseRequest(upsertSchema, request);
  return { id, createTime, purgeTime, ...copy };
}

const userIdsOf = (message: string) => z.object({ userIds: fieldsOf(message).uuids('user_ids') });
const usersSchema = userIdsOf('taskflow.users.v1.BatchGetUsersRequest');
const settingsSchema = userIdsOf('taskflow.users.v1.BatchGetNotificationSettingsRequest');

const userSchema = z.object({ userId: fieldTypes.uuid() });

function readUserId(request: DeleteProfileRequest): string {
  return parseRequest(userSchema, request).userId;
}

const find = fieldsOf('taskflow.users.v1.BatchFindUsersRequest');
const findSchema = z.object({
  callerId: fieldTypes.uuid(),
  callerRole: role,
  emails: find.texts('emails'),
});

function readBatchFindUsers(request: BatchFindUsersRequest): BatchFindUsersInput {
  const { callerId: userId, callerRole, emails } = parseRequest(findSchema, request);
  return { caller: { userId, role: callerRole }, emails };
}
