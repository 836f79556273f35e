import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NotificationChannel, UpdateUserRequest, User, UsersServiceService } from '#contract/users/v1/users';
import { openPublicClient } from '#libs/grpc';
import { createUser } from './factories.ts';
import { startUsers, type TestUsers } from './start-users.ts';

let service: TestUsers;
beforeAll(async () => {
  service = await startUsers();
});
afterAll(() => service?.stop());

const { INBOX, EMAIL, WEBHOOK, UNSPECIFIED } = NotificationChannel;

async function update(fields: Partial<User>, updateMask: string[]): Promise<User | undefined> {
  const { userId, token } = await createUser(service);
  return (await service.users.updateUser({ user: User.fromPartial({ ...fields, id: userId }), updateMask }, { token })).user;
}

const violations = (...fields: string[]) => ({
  kind: 'invalid_argument',
  reason: 'INVALID_FIELD',
  details: { violations: fields.map((field) => ({ field, description: expect.any(String) })) },
});

describe('B8: the settings of a user', () => {
  it('are stored together and told by every read', async () => {
    const { userId, token } = await createUser(service);
    const wanted = { timeZone: 'America/New_York', locale: 'pt-BR', overdueHour: 23, channels: [INBOX, WEBHOOK] };
    const updateMask = ['time_zone', 'locale', 'overdue_hour', 'channels'];
    const { user } = await service.users.updateUser({ user: User.fromPartial({ id: userId, ...wanted }), updateMask }, { token });
    expect(user).toMatchObject(wanted);
    expect((await service.users.getMe({}, { token })).user).toEqual(user);
    expect((await service.users.getUser({ userId }, { token })).user).toEqual(user);
  });

  it('have the hours 0 to 23', async () => {
    expect(await update({ overdueHour: 0 }, ['overdue_hour'])).toMatchObject({ overdueHour: 0 });
    for (const overdueHour of [-1, 24, 2 ** 31 - 1, -(2 ** 31)]) {
      await expect(update({ overdueHour }, ['overdue_hour'])).rejects.toMatchObject(violations('user.overdue_hour'));
    }
  });

  it('have each channel once, in one order', async () => {
    expect((await update({ channels: [WEBHOOK, INBOX, WEBHOOK, INBOX] }, ['channels']))?.channels).toEqual([INBOX, WEBHOOK]);
  });

  it('may have no channel at all, which is not the same as leaving them alone', async () => {
    expect((await update({ channels: [] }, ['channels']))?.channels).toEqual([]);
    expect((await update({ channels: [], overdueHour: 3 }, ['overdue_hour']))?.channels).toEqual([INBOX]);
  });

  it('change nothing, not even the etag, when they are as they were', async () => {
    const { userId, token } = await createUser(service);
    const { user: before } = await service.users.getMe({}, { token });
    const same = User.fromPartial({ id: userId, overdueHour: 9, channels: [INBOX, INBOX] });
    expect((await service.users.updateUser({ user: same, updateMask: ['overdue_hour', 'channels'] }, { token })).user).toEqual(before);
  });

  it('refuse a channel that is none, and one that this version does not know', async () => {
    await expect(update({ channels: [INBOX, UNSPECIFIED] }, ['channels'])).rejects.toMatchObject(violations('user.channels'));
    const { userId, token } = await createUser(service);
    const { updateUser } = UsersServiceService;
    // Field 12 with the number 99, behind a valid request.
    const valid = UpdateUserRequest.encode({ user: undefined, updateMask: ['channels'] }).finish();
    const user = Buffer.concat([User.encode(User.fromPartial({ id: userId })).finish(), Buffer.of(12 << 3, 99)]);
    const bytes = Buffer.concat([valid, Buffer.of(1 << 3 | 2, user.length), user]);
    const raw = openPublicClient({ updateUser: { ...updateUser, requestSerialize: () => bytes } }, `127.0.0.1:${service.app.grpcPort}`);
    await expect(raw.updateUser({}, { token })).rejects.toMatchObject(violations('user.channels'));
    raw.close();
  });

  it('refuse e-mail, on which nothing is sent, and change nothing then', async () => {
    const { userId, token } = await createUser(service);
    for (const channels of [[EMAIL], [INBOX, EMAIL]]) {
      const wish = service.users.updateUser({ user: User.fromPartial({ id: userId, overdueHour: 3, channels }), updateMask: ['overdue_hour', 'channels'] }, { token });
      await expect(wish).rejects.toMatchObject({ ...violations('user.channels'), details: { violations: [{ description: expect.stringContaining('no e-mail is sent yet') }] } });
    }
    expect((await service.users.getMe({}, { token })).user).toMatchObject({ overdueHour: 9, channels: [INBOX] });
  });

  it('answer a flood of bad channels with one violation', async () => {
    await expect(update({ channels: Array.from({ length: 100_000 }, () => UNSPECIFIED) }, ['channels'])).rejects.toMatchObject(violations('user.channels'));
  });

  it.each(['+02:00', '-05', '+0200', 'UTC+2', 'GMT+2', 'local', 'Europe/Nowhere', ' ', '\u0000UTC', 'Etc/../UTC'])('refuse the time zone %j', async (timeZone) => {
    await expect(update({ timeZone }, ['time_zone'])).rejects.toMatchObject(violations('user.time_zone'));
  });

  it('take every time zone that IANA lists, and old names for them', async () => {
    const { userId, token } = await createUser(service);
    for (const timeZone of [...Intl.supportedValuesOf('timeZone').slice(0, 40), 'Asia/Calcutta', 'US/Pacific', 'Etc/GMT+5']) {
      const { user } = await service.users.updateUser({ user: User.fromPartial({ id: userId, timeZone }), updateMask: ['time_zone'] }, { token });
      expect(new Intl.DateTimeFormat('en', { timeZone: user?.timeZone }).format(0)).toBe(new Intl.DateTimeFormat('en', { timeZone }).format(0));
    }
  });

  it('name everything that is wrong at once', async () => {
    const bad = { displayName: '\u0007', timeZone: '+02:00', locale: 'not a tag', overdueHour: 24, channels: [UNSPECIFIED] };
    const fields = ['display_name', 'time_zone', 'locale', 'overdue_hour', 'channels'];
    await expect(update(bad, fields)).rejects.toMatchObject(violations(...fields.map((field) => `user.${field}`)));
    await expect(update(bad, [...fields, 'nonsense'])).rejects.toMatchObject(violations(...fields.map((field) => `user.${field}`), 'update_mask'));
  });
});
