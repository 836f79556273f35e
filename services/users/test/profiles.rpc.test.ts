import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Role } from '#contract/auth/v1/auth';
import { NotificationChannel, User } from '#contract/users/v1/users';
import { uuidv7 } from '#libs/db';
import { createUser, profileRequest } from './factories.ts';
import { startUsers, type TestUsers } from './start-users.ts';

let service: TestUsers;
beforeAll(async () => {
  service = await startUsers();
});
afterAll(() => service?.stop());

const change = (user: Partial<User>, updateMask?: string[]) => ({ user: User.fromPartial(user), updateMask });
const violation = (field: string) => ({ violations: [expect.objectContaining({ field })] });

describe('GetMe', () => {
  it('gives the profile of the caller', async () => {
    const { userId, token } = await createUser(service, { displayName: 'Grace' });
    const { user } = await service.users.getMe({}, { token });
    expect(user).toEqual({
      id: userId,
      email: `${userId}@example.com`,
      role: Role.USER,
      enabled: true,
      displayName: 'Grace',
      timeZone: 'UTC',
      locale: 'en',
      overdueHour: 9,
      channels: [NotificationChannel.INBOX],
      createTime: new Date('2026-01-02T03:04:05.678Z'),
      updateTime: expect.any(Date),
      etag: expect.stringMatching(/.+/),
    });
  });

  it('is UNAVAILABLE with a time to retry while the profile of a new account has not arrived', async () => {
    const token = await service.tokenFor(uuidv7());
    await expect(service.users.getMe({}, { token })).rejects.toMatchObject({
      kind: 'unavailable',
      reason: 'PROFILE_NOT_READY',
      details: { retryAfterMs: expect.any(Number) },
    });
  });
});

describe('GetUser', () => {
  it('gives administrators anybody', async () => {
    const { userId } = await createUser(service);
    const token = await service.tokenFor(uuidv7(), 'admin');
    expect((await service.users.getUser({ userId: userId.toUpperCase() }, { token })).user?.id).toBe(userId);
  });

  it('answers the same for another user as for one that does not exist', async () => {
    const { token } = await createUser(service);
    const other = await createUser(service);
    for (const userId of [other.userId, uuidv7()]) {
      await expect(service.users.getUser({ userId }, { token })).rejects.toMatchObject({
        kind: 'not_found',
        reason: 'USER_NOT_FOUND',
        details: { resource: { type: 'taskflow.users.v1.User', name: userId } },
      });
    }
  });

  it('refuses an id that is no UUID', async () => {
    const { token } = await createUser(service);
    await expect(service.users.getUser({ userId: "x' or 1=1" }, { token })).rejects.toMatchObject({
      kind: 'invalid_argument',
      reason: 'INVALID_FIELD',
      details: violation('user_id'),
    });
  });
});

describe('UpdateUser', () => {
  it('changes what the mask names and nothing else', async () => {
    const { userId, token } = await createUser(service);
    const { user: before } = await service.users.getMe({}, { token });
    const request = change({ id: userId, displayName: ' Lovelace ', timeZone: 'nonsense', locale: '' }, ['display_name']);
    const { user: after } = await service.users.updateUser(request, { token });
    expect(after).toEqual({ ...before, displayName: 'Lovelace', updateTime: expect.any(Date), etag: expect.any(String) });
    expect(after?.etag).not.toBe(before?.etag);
    expect((await service.users.getMe({}, { token })).user).toEqual(after);
  });

  it('stores time zone and locale in their canonical spelling', async () => {
    const { userId, token } = await createUser(service);
    const request = change({ id: userId, timeZone: 'europe/berlin', locale: 'de-at' }, ['time_zone', 'locale']);
    expect((await service.users.updateUser(request, { token })).user).toMatchObject({ timeZone: 'Europe/Berlin', locale: 'de-AT' });
  });

  it('keeps the etag when nothing changes', async () => {
    const { userId, token } = await createUser(service, { displayName: 'Same' });
    const { user } = await service.users.getMe({}, { token });
    const { user: after } = await service.users.updateUser(change({ id: userId, displayName: 'Same' }, ['display_name']), { token });
    expect(after).toEqual(user);
  });

  it.each([
    ['no mask', undefined],
    ['an empty mask', []],
    ['an unknown path', ['display_name', 'nickname']],
    ['an output-only path', ['email']],
    ['a path of the object prototype', ['constructor']],
  ])('refuses %s', async (_, mask) => {
    const { userId, token } = await createUser(service);
    await expect(service.users.updateUser(change({ id: userId, displayName: 'X' }, mask), { token })).rejects.toMatchObject({
      reason: 'INVALID_FIELD',
      details: violation('update_mask'),
    });
  });

  it('names every field that is wrong at once', async () => {
    const { token } = await createUser(service);
    const request = change({ id: 'x', displayName: '', timeZone: '+01:00', locale: 'x'.repeat(36) }, ['display_name', 'time_zone', 'locale']);
    await expect(service.users.updateUser(request, { token })).rejects.toMatchObject({
      reason: 'INVALID_FIELD',
      details: {
        violations: ['user.id', 'user.display_name', 'user.time_zone', 'user.locale'].map((field) => ({ field, description: expect.any(String) })),
      },
    });
  });

  it.each(['a\u0000b', 'a\u001bb', 'x'.repeat(101), '   '])('refuses the display name %j', async (displayName) => {
    const { userId, token } = await createUser(service);
    await expect(service.users.updateUser(change({ id: userId, displayName }, ['display_name']), { token })).rejects.toMatchObject({
      reason: 'INVALID_FIELD',
      details: violation('user.display_name'),
    });
  });

  it('takes a display name of 100 characters outside the basic plane', async () => {
    const { userId, token } = await createUser(service);
    const displayName = '😀'.repeat(100);
    expect((await service.users.updateUser(change({ id: userId, displayName }, ['display_name']), { token })).user?.displayName).toBe(displayName);
  });

  it('lets one of many writers with the same etag through', async () => {
    const { userId, token } = await createUser(service);
    const { user } = await service.users.getMe({}, { token });
    const writes = Array.from({ length: 10 }, (_, index) =>
      service.users.updateUser(change({ id: userId, displayName: `Writer ${index}`, etag: user?.etag }, ['display_name']), { token }),
    );
    const results = await Promise.allSettled(writes);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ kind: 'aborted', reason: 'ETAG_MISMATCH' });
    }
  });

  it('lets nobody but administrators change another user', async () => {
    const { userId } = await createUser(service);
    const { token } = await createUser(service);
    const request = change({ id: userId, displayName: 'Mallory' }, ['display_name']);
    await expect(service.users.updateUser(request, { token })).rejects.toMatchObject({ reason: 'USER_NOT_FOUND' });
    const adminToken = await service.tokenFor(uuidv7(), 'admin');
    expect((await service.users.updateUser(request, { token: adminToken })).user?.displayName).toBe('Mallory');
  });
});

describe('UpsertProfile', () => {
  it('creates the profile once, however often and in whatever order the messages come', async () => {
    const userId = uuidv7();
    const auth = await service.asService('auth');
    const versions = [3n, 1n, 2n, 3n, 1n];
    const messages = versions.map((accountVersion) => profileRequest({ userId, accountVersion, email: `v${accountVersion}@example.com` }));
    await Promise.all(messages.map((message) => service.internal.upsertProfile(message, auth)));
    const rows = await service.sql('select email, account_version from profiles where id = $1', [userId]);
    expect(rows).toEqual([{ email: 'v3@example.com', account_version: '3' }]);
  });

  it('leaves what is the user\'s own', async () => {
    const { userId, token } = await createUser(service, { displayName: 'At first' });
    await service.users.updateUser(change({ id: userId, displayName: 'Mine' }, ['display_name']), { token });
    const newer = profileRequest({ userId, accountVersion: 2n, displayName: 'At first', role: Role.ADMIN, enabled: false });
    await service.internal.upsertProfile(newer, await service.asService('auth'));
    expect((await service.users.getMe({}, { token })).user).toMatchObject({ displayName: 'Mine', role: Role.ADMIN, enabled: false });
  });

  it('refuses a message without version, time or role', async () => {
    const request = profileRequest({ accountVersion: 0n, accountCreateTime: undefined, role: Role.UNSPECIFIED });
    await expect(service.internal.upsertProfile(request, await service.asService('auth'))).rejects.toMatchObject({
      details: { violations: ['role', 'account_version', 'account_create_time'].map((field) => ({ field, description: expect.any(String) })) },
    });
  });
});

describe('BatchGetUsers', () => {
  it('gives the known and reports the unknown, each once', async () => {
    const known = await createUser(service, { displayName: 'Known', enabled: false });
    const unknown = uuidv7();
    const userIds = [unknown, known.userId, known.userId.toUpperCase(), unknown];
    expect(await service.internal.batchGetUsers({ userIds }, await service.asService('tasks'))).toEqual({
      users: [{ id: known.userId, displayName: 'Known', enabled: false }],
      unknownUserIds: [unknown],
    });
  });

  it('takes up to 1000 ids', async () => {
    const tasks = await service.asService('tasks');
    const ids = (count: number) => ({ userIds: Array.from({ length: count }, () => uuidv7()) });
    expect((await service.internal.batchGetUsers(ids(1000), tasks)).unknownUserIds).toHaveLength(1000);
    for (const count of [0, 1001]) {
      await expect(service.internal.batchGetUsers(ids(count), tasks)).rejects.toMatchObject({ reason: 'INVALID_FIELD', details: violation('user_ids') });
    }
  });

  it('names the ids that are none', async () => {
    await expect(service.internal.batchGetUsers({ userIds: [uuidv7(), 'x'] }, await service.asService('scheduler'))).rejects.toMatchObject({
      details: violation('user_ids[1]'),
    });
  });
});

describe('BatchGetNotificationSettings', () => {
  it('gives when and where the known ones want notifications', async () => {
    const known = await createUser(service);
    const change = { user: { id: known.userId, timeZone: 'Europe/Berlin', overdueHour: 7, channels: [NotificationChannel.WEBHOOK] }, updateMask: ['time_zone', 'overdue_hour', 'channels'] };
    await service.users.updateUser({ ...change, user: User.fromPartial(change.user) }, known);
    const answer = await service.internal.batchGetNotificationSettings({ userIds: [known.userId, uuidv7(), known.userId] }, await service.asService('scheduler'));
    expect(answer).toEqual({ settings: [{ userId: known.userId, timeZone: 'Europe/Berlin', overdueHour: 7, channels: [NotificationChannel.WEBHOOK] }] });
  });
});
