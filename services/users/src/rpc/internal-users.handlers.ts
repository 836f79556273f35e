import { z } from 'zod';
import type {
  BatchFindUsersRequest,
  BatchGetNotificationSettingsRequest,
  BatchGetUsersRequest,
  InternalUsersServiceService,
  UpsertProfileRequest,
} from '#contract/users/v1/users';
import { fieldTypes, parseRequest } from '#libs/errors';
import type { Handlers } from '#libs/grpc';
import type { UsersDeps } from '../deps.ts';
import type { AccountCopy } from '../domain/profile.columns.ts';
import { displayName } from '../domain/profile.inputs.ts';
import { batchFindUsers, type BatchFindUsersInput } from '../use-cases/batch-find-users.ts';
import { batchGetNotificationSettings } from '../use-cases/batch-get-notification-settings.ts';
import { batchGetUsers } from '../use-cases/batch-get-users.ts';
import { upsertProfile } from '../use-cases/upsert-profile.ts';
import { email, role } from './users.schemas.ts';

export function internalUsersHandlers(deps: UsersDeps): Handlers<InternalUsersServiceService> {
  return {
    upsertProfile: (request) => upsertProfile(deps, readUpsertProfile(request)),
    batchGetUsers: (request) => batchGetUsers(deps, readUserIds(request)),
    batchFindUsers: async (request) => batchFindUsers(deps, readBatchFindUsers(request)),
    batchGetNotificationSettings: (request) => batchGetNotificationSettings(deps, readUserIds(request)),
  };
}

const [minEmailCharacters, maxEmailCharacters] = [3, 254];
const upsertFields = z.object({
  userId: fieldTypes.uuid(),
  email: fieldTypes.text({ max: maxEmailCharacters }),
  role,
  enabled: z.boolean(),
  emailVerified: z.boolean(),
  displayName,
  accountVersion: z.bigint().min(1n, 'must be positive'),
  accountCreateTime: z.date('must be set'),
  serviceAccount: z.boolean(),
});
const upsertSchema = upsertFields.refine(
  ({ email, serviceAccount }) => serviceAccount || email.length >= minEmailCharacters,
  { path: ['email'], message: `must have ${minEmailCharacters} to ${maxEmailCharacters} characters`, when: () => true },
);

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

const maxEmails = 500;
const emailsRule = `must name 1 to ${maxEmails} e-mails`;
const findSchema = z.object({
  callerId: fieldTypes.uuid(),
  callerRole: role,
  emails: z.array(email).min(1, emailsRule).max(maxEmails, emailsRule),
});

function readBatchFindUsers(request: BatchFindUsersRequest): BatchFindUsersInput {
  const { callerId: userId, callerRole, emails } = parseRequest(findSchema, request);
  return { caller: { userId, role: callerRole }, emails };
}
