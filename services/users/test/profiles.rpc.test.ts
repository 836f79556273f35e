import { afterAll, describe, expect, it } from '@jest/globals';
import { NotificationChannel, Role } from '#contract/users/v1/users';
import { uuidv7 } from '#libs/db';
import { invalidFields } from '#dev/testing';
import { createUser, profileRequest, read, update } from './factories.ts';
import { startUsers } from './start-users.ts';

const service = await startUsers();
afterAll(service.stop);

describe('GetMe', () => {
  it('gives the profile of the caller', async () => {
    const { userId, token } = await createUser(service, { displayName: 'Grace' });
    const { user } = await service.users.getMe({}, { token });
    expect(user).toEqual({
      id: userId,
      email: `${userId}@example.com`,
      serviceAccount: false,
      role: Role.USER,
      enabled: true,
      displayName: 'Grace',
      timeZone: 'UTC',
      locale: 'en',
      overdueHour: 9,
      channels: [NotificationChannel.INBOX],
      discoverable: false,
      emailVerified: false,
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
  it('gives administrators any profile', async () => {
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

  it('refuses an id that is not a UUID', async () => {
    const { token } = await createUser(service);
    expect(await invalidFields(service.users.getUser({ userId: "x' or 1=1" }, { token }))).toEqual(['user_id']);
  });
});

describe('UpdateUser', () => {
  it('changes what the mask names and nothing else', async () => {
    const person = await createUser(service);
    const before = await read(service, person);
    const fields = { displayName: ' Lovelace ', timeZone: 'nonsense', locale: '' };
    const after = await update(service, person, fields, { updateMask: ['display_name'] });
    expect(after).toEqual({
      ...before,
      displayName: 'Lovelace',
      updateTime: expect.any(Date),
      etag: expect.any(String),
    });
    expect(after?.etag).not.toBe(before?.etag);
    expect(await read(service, person)).toEqual(after);
  });

  it('stores time zone and locale in their canonical spelling', async () => {
    const fields = { timeZone: 'europe/berlin', locale: 'de-at' };
    const user = await update(service, await createUser(service), fields, { updateMask: ['time_zone', 'locale'] });
    expect(user).toMatchObject({ timeZone: 'Europe/Berlin', locale: 'de-AT' });
  });

  it('keeps the etag when nothing changes', async () => {
    const person = await createUser(service, { displayName: 'Same' });
    const before = await read(service, person);
    expect(await update(service, person, { displayName: 'Same' }, { updateMask: ['display_name'] })).toEqual(before);
  });

  it.each([
    ['* beside a path', ['*', 'display_name']],
    ['an unknown path', ['display_name', 'nickname']],
    ['a path twice', ['display_name', 'display_name']],
    ['an output-only path', ['email']],
    ['a path of the object prototype', ['constructor']],
  ])('refuses %s', async (_, updateMask) => {
    const change = update(service, await createUser(service), { displayName: 'X' }, { updateMask });
    expect(await invalidFields(change)).toEqual(['update_mask']);
  });

  it('names every wrong field at once', async () => {
    const fields = { id: 'x', displayName: '', timeZone: '+01:00', locale: 'x'.repeat(36) };
    const updateMask = ['display_name', 'time_zone', 'locale'];
    expect(await invalidFields(update(service, await createUser(service), fields, { updateMask }))).toEqual([
      'user.id',
      ...updateMask.map((path) => `user.${path}`),
    ]);
  });

  it.each(['a\u0000b', 'a\u001bb', 'x'.repeat(101), '   '])('refuses the display name %j', async (displayName) => {
    const change = update(service, await createUser(service), { displayName }, { updateMask: ['display_name'] });
    expect(await invalidFields(change)).toEqual(['user.display_name']);
  });

  it('takes a display name of 100 characters outside the basic plane', async () => {
    const displayName = '😀'.repeat(100);
    const user = await update(service, await createUser(service), { displayName }, { updateMask: ['display_name'] });
    expect(user?.displayName).toBe(displayName);
  });

  it('lets one of many writers with the same etag through', async () => {
    const person = await createUser(service);
    const etag = (await read(service, person))?.etag;
    const writes = Array.from({ length: 10 }, (_, index) =>
      update(service, person, { displayName: `Writer ${index}`, etag }, { updateMask: ['display_name'] }),
    );
    const results = await Promise.allSettled(writes);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({ kind: 'aborted', reason: 'ETAG_MISMATCH' });
    }
  });

  it('lets nobody but administrators change another user', async () => {
    const { userId } = await createUser(service);
    const changeBy = (token: string) =>
      update(service, { userId, token }, { displayName: 'Mallory' }, { updateMask: ['display_name'] });
    const { token } = await createUser(service);
    await expect(changeBy(token)).rejects.toMatchObject({ reason: 'USER_NOT_FOUND' });
    const adminToken = await service.tokenFor(uuidv7(), 'admin');
    expect((await changeBy(adminToken))?.displayName).toBe('Mallory');
  });
});

describe('UpsertProfile', () => {
  it('keeps the newest copy when messages come repeatedly and out of order', async () => {
    const userId = uuidv7();
    const auth = await service.asService('auth');
    const versions = [3n, 1n, 2n, 3n, 1n];
    const messages = versions.map((accountVersion) =>
      profileRequest({ userId, accountVersion, email: `v${accountVersion}@example.com` }),
    );
    await Promise.all(messages.map((message) => service.internal.upsertProfile(message, auth)));
    const rows = await service.sql('select email, account_version from profiles where id = $1', [userId]);
    expect(rows).toEqual([{ email: 'v3@example.com', account_version: '3' }]);
  });

  it("leaves the user's own fields alone", async () => {
    const person = await createUser(service, { displayName: 'At first' });
    await update(service, person, { displayName: 'Mine' }, { updateMask: ['display_name'] });
    const ofAccount = { role: Role.ADMIN, enabled: false };
    const newer = profileRequest({ userId: person.userId, accountVersion: 2n, displayName: 'At first', ...ofAccount });
    await service.internal.upsertProfile(newer, await service.asService('auth'));
    expect(await read(service, person)).toMatchObject({ displayName: 'Mine', ...ofAccount });
  });

  it('carries whether the e-mail is verified to its user and to whoever sends mails', async () => {
    const person = await createUser(service, { email: 'ada@example.com', displayName: 'Ada' });
    expect(await read(service, person)).toMatchObject({ emailVerified: false });
    const verified = profileRequest({
      userId: person.userId,
      accountVersion: 2n,
      email: 'ada@example.org',
      emailVerified: true,
    });
    await service.internal.upsertProfile(verified, await service.asService('auth'));
    expect(await read(service, person)).toMatchObject({ email: 'ada@example.org', emailVerified: true });
    const request = { userIds: [person.userId] };
    const { settings } = await service.internal.batchGetNotificationSettings(
      request,
      await service.asService('scheduler'),
    );
    expect(settings).toMatchObject([
      { email: 'ada@example.org', emailVerified: true, enabled: true, displayName: 'Ada', locale: 'en' },
    ]);
  });

  it('refuses a message without version, time or role', async () => {
    const request = profileRequest({ accountVersion: 0n, accountCreateTime: undefined, role: Role.UNSPECIFIED });
    expect(await invalidFields(service.internal.upsertProfile(request, await service.asService('auth')))).toEqual([
      'role',
      'account_version',
      'account_create_time',
    ]);
  });
});

describe('BatchGetUsers', () => {
  it('gives the known and reports the unknown, each once', async () => {
    const known = await createUser(service, { displayName: 'Known', enabled: false });
    const unknown = uuidv7();
    const userIds = [unknown, known.userId, known.userId.toUpperCase(), unknown];
    expect(await service.internal.batchGetUsers({ userIds }, await service.asService('tasks'))).toEqual({
      users: [{ id: known.userId, displayName: 'Known', enabled: false, serviceAccount: false }],
      unknownUserIds: [unknown],
    });
  });

  it('takes up to 1000 ids', async () => {
    const tasks = await service.asService('tasks');
    const ids = (count: number) => ({ userIds: Array.from({ length: count }, () => uuidv7()) });
    expect((await service.internal.batchGetUsers(ids(1000), tasks)).unknownUserIds).toHaveLength(1000);
    for (const count of [0, 1001]) {
      expect(await invalidFields(service.internal.batchGetUsers(ids(count), tasks))).toEqual(['user_ids']);
    }
  });

  it('names the invalid ids', async () => {
    expect(
      await invalidFields(
        service.internal.batchGetUsers({ userIds: [uuidv7(), 'x'] }, await service.asService('scheduler')),
      ),
    ).toEqual(['user_ids[1]']);
  });
});

describe('BatchGetNotificationSettings', () => {
  it('returns the settings of the known users', async () => {
    const known = await createUser(service);
    const wanted = { timeZone: 'Europe/Berlin', overdueHour: 7, channels: [NotificationChannel.WEBHOOK] };
    await update(service, known, wanted, { updateMask: ['time_zone', 'overdue_hour', 'channels'] });
    const answer = await service.internal.batchGetNotificationSettings(
      { userIds: [known.userId, uuidv7(), known.userId] },
      await service.asService('scheduler'),
    );
    const address = { email: `${known.userId}@example.com`, emailVerified: false, enabled: true };
    const others = { ...address, displayName: 'Ada', locale: 'en' };
    expect(answer).toEqual({ settings: [{ userId: known.userId, ...wanted, ...others }] });
  });
});
