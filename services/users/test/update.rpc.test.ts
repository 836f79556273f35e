import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { NotificationChannel } from '#contract/users/v1/users';
import { invalidFields } from '#dev/testing';
import { createUser, read, update } from './factories.ts';
import { startUsers } from './start-users.ts';

const service = await startUsers();
afterAll(service.stop);

const { INBOX, WEBHOOK } = NotificationChannel;
/** Nothing of it is what a profile has at first. */
const settled = {
  displayName: 'Ada',
  timeZone: 'Europe/Berlin',
  locale: 'de',
  overdueHour: 7,
  channels: [INBOX, WEBHOOK],
};

describe('the update mask', () => {
  it.each([undefined, []])('that is absent (%j) means the fields that are set, also midnight', async (updateMask) => {
    const person = await createUser(service);
    await update(service, person, settled);
    expect(await update(service, person, { overdueHour: 0, locale: 'fr' }, { updateMask })).toMatchObject({
      ...settled,
      overdueHour: 0,
      locale: 'fr',
    });
    expect(await invalidFields(update(service, person, {}, { updateMask }))).toEqual(['update_mask']);
  });

  it('that is absent still has every set field checked', async () => {
    const person = await createUser(service);
    expect(await invalidFields(update(service, person, { timeZone: 'nowhere', overdueHour: 24 }))).toEqual([
      'user.time_zone',
      'user.overdue_hour',
    ]);
  });

  it.each([[['*']], [['display_name', 'time_zone', 'locale', 'overdue_hour', 'channels']]])(
    '%j changes everything, and what is not set gets its default',
    async (updateMask) => {
      const person = await createUser(service);
      await update(service, person, settled);
      expect(await update(service, person, { displayName: 'Grace' }, { updateMask })).toMatchObject({
        displayName: 'Grace',
        timeZone: 'UTC',
        locale: 'en',
        overdueHour: 9,
        channels: [],
      });
      expect(await invalidFields(update(service, person, {}, { updateMask }))).toEqual(['user.display_name']);
    },
  );
});

describe('a repeated UpdateUser', () => {
  it('has one effect and one answer, also when the etag is stale by then', async () => {
    const person = await createUser(service);
    const etag = (await read(service, person))?.etag;
    const requestId = randomUUID();
    const first = await update(service, person, { displayName: 'Grace', etag }, { requestId });
    await update(service, person, { displayName: 'Joan' });
    expect(await update(service, person, { displayName: 'Grace', etag }, { requestId })).toEqual(first);
    expect((await read(service, person))?.displayName).toBe('Joan');
    await expect(update(service, person, { displayName: 'Mary', etag }, { requestId })).rejects.toMatchObject({
      reason: 'REQUEST_ID_REUSED',
      details: { violations: [{ field: 'request_id' }] },
    });
    expect(await invalidFields(update(service, person, { displayName: 'Mary' }, { requestId: 'a b' }))).toEqual([
      'request_id',
    ]);
  });

  it('is the same whatever its output-only fields hold', async () => {
    const person = await createUser(service);
    const requestId = randomUUID();
    const first = await update(service, person, { displayName: 'Grace' }, { requestId });
    expect(await update(service, person, { displayName: 'Grace', email: 'grace@example.com' }, { requestId })).toEqual(
      first,
    );
  });
});

describe('UpdateUser with validate_only', () => {
  it('answers and refuses alike, and changes nothing', async () => {
    const person = await createUser(service);
    const before = await read(service, person);
    const requestId = randomUUID();
    const dryRun = await update(service, person, settled, { requestId, validateOnly: true });
    expect(await read(service, person)).toEqual(before);
    await expect(
      update(service, person, { locale: 'fr', etag: '"stale"' }, { validateOnly: true }),
    ).rejects.toMatchObject({
      reason: 'ETAG_MISMATCH',
      details: { metadata: { id: person.userId } },
    });
    expect(await update(service, person, settled, { requestId })).toEqual({
      ...dryRun,
      updateTime: expect.any(Date),
    });
  });
});

describe('a display name', () => {
  it('of which nothing shows is refused, and one from before hinders no other change', async () => {
    const person = await createUser(service, { displayName: '\u200b\u3164' });
    expect(await read(service, person)).toMatchObject({ displayName: '\u200b\u3164' });
    expect(await update(service, person, { locale: 'fr' })).toMatchObject({ locale: 'fr' });
    expect(await invalidFields(update(service, person, { displayName: '\u2060\ufe0f' }))).toEqual([
      'user.display_name',
    ]);
  });
});
