import { afterAll, describe, expect, it } from '@jest/globals';
import { ServerFeature } from '#contract/server/v1/server';
import { NotificationChannel, UpdateUserRequest, User, UsersServiceService } from '#contract/users/v1/users';
import { invalidFields } from '#dev/testing';
import { openStub } from '#dev/stubs';
import { createUser, read, update } from './factories.ts';
import { startUsers } from './start-users.ts';

const service = await startUsers();
afterAll(service.stop);

const { INBOX, EMAIL, WEBHOOK, UNSPECIFIED } = NotificationChannel;

/** Changes the settings of a new user. */
const updateNew = async (fields: Partial<User>, updateMask: string[]) =>
  update(service, await createUser(service), fields, { updateMask });

describe('B8: the settings of a user', () => {
  it('are stored together and returned by every read', async () => {
    const person = await createUser(service);
    const wanted = { timeZone: 'America/New_York', locale: 'pt-BR', overdueHour: 23, channels: [INBOX, WEBHOOK] };
    const updateMask = ['time_zone', 'locale', 'overdue_hour', 'channels'];
    const user = await update(service, person, wanted, { updateMask });
    expect(user).toMatchObject(wanted);
    expect(await read(service, person)).toEqual(user);
    expect((await service.users.getUser({ userId: person.userId }, person)).user).toEqual(user);
  });

  it('accept the hours 0 to 23', async () => {
    expect(await updateNew({ overdueHour: 0 }, ['overdue_hour'])).toMatchObject({ overdueHour: 0 });
    for (const overdueHour of [-1, 24, 2 ** 31 - 1, -(2 ** 31)]) {
      expect(await invalidFields(updateNew({ overdueHour }, ['overdue_hour']))).toEqual(['user.overdue_hour']);
    }
  });

  it('hold each channel once, in one order', async () => {
    expect((await updateNew({ channels: [WEBHOOK, INBOX, WEBHOOK, INBOX] }, ['channels']))?.channels).toEqual([
      INBOX,
      WEBHOOK,
    ]);
  });

  it('may have no channel at all, which is not the same as leaving them alone', async () => {
    expect((await updateNew({ channels: [] }, ['channels']))?.channels).toEqual([]);
    expect((await updateNew({ channels: [], overdueHour: 3 }, ['overdue_hour']))?.channels).toEqual([INBOX]);
  });

  it('change nothing, not even the etag, when they are as they were', async () => {
    const person = await createUser(service);
    const before = await read(service, person);
    const updateMask = ['overdue_hour', 'channels'];
    expect(await update(service, person, { overdueHour: 9, channels: [INBOX, INBOX] }, { updateMask })).toEqual(before);
  });

  it('refuse the unspecified channel and an unknown one', async () => {
    expect(await invalidFields(updateNew({ channels: [INBOX, UNSPECIFIED] }, ['channels']))).toEqual([
      'user.channels[1]',
    ]);
    const { userId, token } = await createUser(service);
    const { updateUser } = UsersServiceService;
    // Field 12 with the number 99, behind a valid request.
    const valid = UpdateUserRequest.encode(UpdateUserRequest.fromPartial({ updateMask: ['channels'] })).finish();
    const user = Buffer.concat([User.encode(User.fromPartial({ id: userId })).finish(), Buffer.of(12 << 3, 99)]);
    const bytes = Buffer.concat([valid, Buffer.of((1 << 3) | 2, user.length), user]);
    const raw = openStub(
      { updateUser: { ...updateUser, requestSerialize: () => bytes } },
      `127.0.0.1:${service.app.grpcPort}`,
    );
    expect(await invalidFields(raw.updateUser({}, { token }))).toEqual(['user.channels[0]']);
    raw.close();
  });

  it('refuse the e-mail channel where no mails are sent, and change nothing', async () => {
    const person = await createUser(service);
    const description = expect.stringContaining('this server sends no mails');
    for (const channels of [[EMAIL], [INBOX, EMAIL]]) {
      const change = update(
        service,
        person,
        { overdueHour: 3, channels },
        { updateMask: ['overdue_hour', 'channels'] },
      );
      await expect(change).rejects.toMatchObject({
        kind: 'invalid_argument',
        reason: 'INVALID_FIELD',
        details: { violations: [{ field: `user.channels[${channels.length - 1}]`, description }] },
      });
    }
    expect(await read(service, person)).toMatchObject({ overdueHour: 9, channels: [INBOX] });
  });

  it('take the e-mail channel where mails are sent, and the server says that they are', async () => {
    const mailing = await startUsers({ config: { mailsOn: true } });
    try {
      const person = await createUser(mailing);
      const user = await update(mailing, person, { channels: [WEBHOOK, EMAIL] }, { updateMask: ['channels'] });
      expect(user?.channels).toEqual([EMAIL, WEBHOOK]);
      const { features } = await mailing.info.getServerInfo({});
      expect(features).toContain(ServerFeature.MAIL);
      expect((await service.info.getServerInfo({})).features).not.toContain(ServerFeature.MAIL);
    } finally {
      await mailing.stop();
    }
  });

  it('answer a flood of bad channels with the first of them', async () => {
    const channels = Array.from({ length: 100_000 }, () => UNSPECIFIED);
    const named = await invalidFields(updateNew({ channels }, ['channels']));
    expect(named?.length).toBeLessThanOrEqual(100);
    expect(named?.slice(0, 2)).toEqual(['user.channels[0]', 'user.channels[1]']);
  });

  it.each([
    '+02:00',
    '-05',
    '+0200',
    'UTC+2',
    'GMT+2',
    'local',
    'PST',
    'IST',
    'SystemV/EST5',
    'Europe/Nowhere',
    ' ',
    '\u0000UTC',
    'Etc/../UTC',
  ])('refuse the time zone %j', async (timeZone) => {
    expect(await invalidFields(updateNew({ timeZone }, ['time_zone']))).toEqual(['user.time_zone']);
  });

  it('accept every time zone that IANA lists, and keep the name that was sent', async () => {
    const person = await createUser(service);
    const renamed =
      'Europe/Kyiv Europe/Kiev Asia/Kolkata Asia/Calcutta America/Nuuk US/Pacific Etc/GMT+5 Etc/UTC EST'.split(' ');
    for (const timeZone of [...Intl.supportedValuesOf('timeZone').slice(0, 40), ...renamed]) {
      const user = await update(service, person, { timeZone }, { updateMask: ['time_zone'] });
      expect(user?.timeZone).toBe(timeZone);
    }
    await update(service, person, { timeZone: 'europe/kyiv' }, { updateMask: ['time_zone'] });
    expect((await read(service, person))?.timeZone).toBe('Europe/Kyiv');
  });

  it('name every wrong field at once', async () => {
    const bad = {
      displayName: '\u0007',
      timeZone: '+02:00',
      locale: 'not a tag',
      overdueHour: 24,
      channels: [UNSPECIFIED],
    };
    const fields = ['display_name', 'time_zone', 'locale', 'overdue_hour', 'channels'];
    const named = ['display_name', 'time_zone', 'locale', 'overdue_hour', 'channels[0]'];
    expect(await invalidFields(updateNew(bad, fields))).toEqual(named.map((field) => `user.${field}`));
    expect(await invalidFields(updateNew(bad, [...fields, 'nonsense']))).toEqual([
      ...named.map((field) => `user.${field}`),
      'update_mask',
    ]);
  });
});
