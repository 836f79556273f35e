import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GetMeResponse, InternalUsersServiceService, UsersServiceService } from '#contract/users/v1/users';
import { AppError } from '#libs/errors';
import { createMetrics } from '#libs/runtime';
import { bind, createClient, requireUser } from '../src/index.ts';
import { identityOf, recordingLogger, startTestServer, userToken, type TestServer } from './cluster.ts';
import { RawClient } from './raw-client.ts';

const users = bind(UsersServiceService, {
  getMe: async (_request, call) => ({ user: { id: requireUser(call).userId } as never }),
  getUser: async () => {
    throw new AppError('not_found', 'USER_NOT_FOUND', 'no such user');
  },
  updateUser: async () => ({}),
  listUsers: async () => ({ users: [], nextPageToken: '' }),
});
const internalUsers = bind(InternalUsersServiceService, {
  upsertProfile: async () => ({}),
  batchGetUsers: async ({ userIds }) => ({ users: [], unknownUserIds: userIds }),
});

let target: TestServer;
let raw: RawClient;

beforeAll(async () => {
  target = await startTestServer({ bindings: [users, internalUsers] });
  raw = new RawClient(target.address);
});
afterAll(async () => {
  raw.close();
  await target.server.stop();
});

describe('a call', () => {
  it('reaches its handler with the user of the token', async () => {
    const answer = await raw.call('/taskflow.users.v1.UsersService/GetMe', Buffer.alloc(0), {
      metadata: { authorization: `Bearer ${await userToken()}` },
    });
    expect(answer.message).toBe('OK');
    expect(GetMeResponse.decode(answer.bytes ?? Buffer.alloc(0)).user?.id).toBe('user-1');
  });

  it('reaches a service through the client factory', async () => {
    const { logger } = recordingLogger();
    const users = createClient(InternalUsersServiceService, {
      callee: 'users',
      address: target.address,
      identity: identityOf('tasks'),
      logger,
      metrics: createMetrics('tasks'),
    });
    expect(await users.client.batchGetUsers({ userIds: ['a', 'b'] })).toEqual({ users: [], unknownUserIds: ['a', 'b'] });
    users.close();
  });
});
