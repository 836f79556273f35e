import { z } from 'zod';
import {
  Role,
  type BatchGetNotificationSettingsRequest,
  type BatchGetUsersRequest,
  type InternalUsersServiceService,
  type UpsertProfileRequest,
} from '#contract/users/v1/users';
import { fieldTypes, parseRequest } from '#libs/errors';
import type { Handlers } from '#libs/grpc';
import type { UsersDeps } from '../deps.ts';
import type { AccountCopy } from '../domain/profile.columns.ts';
import { displayName } from '../domain/profile.inputs.ts';
import { batchGetNotificationSettings } from '../use-cases/batch-get-notification-settings.ts';
import { batchGetUsers } from '../use-cases/batch-get-users.ts';
import { upsertProfile } from '../use-cases/upsert-profile.ts';

export function internalUsersHandlers(deps: UsersDeps): Handlers<InternalUsersServiceService> {
  return {
    upsertProfile: (request) => upsertProfile(deps, readUpsertProfile(request)),
    batchGetUsers: (request) => batchGetUsers(deps, readUserIds(request)),
    batchGetNotificationSettings: (request) => batchGetNotificationSettings(deps, readUserIds(request)),
  };
}

const upsertSchema = z.object({
  userId: fieldTypes.uuid(),
  email: fieldTypes.text({ min: 3, max: 254 }),
  role: z
    .enum([Role.USER, Role.ADMIN], 'must be a known role')
    .transform((role) => (role === Role.ADMIN ? 'admin' : 'user')),
  enabled: z.boolean(),
  displayName,
  accountVersion: z.bigint().min(1n, 'must be positive'),
  accountCreateTime: z.date('must be set'),
});

function readUpsertProfile(request: UpsertProfileRequest): AccountCopy {
  const { userId: id, accountCreateTime: createTime, ...copy } = parseRequest(upsertSchema, request);
  return { id, createTime, ...copy };
}

const maxBatch = 1000;
const batchRule = `must name 1 to ${maxBatch} users`;
const batchSchema = z.object({ userIds: z.array(fieldTypes.uuid()).min(1, batchRule).max(maxBatch, batchRule) });

function readUserIds(request: BatchGetUsersRequest | BatchGetNotificationSettingsRequest): string[] {
  return parseRequest(batchSchema, request).userIds;
}
