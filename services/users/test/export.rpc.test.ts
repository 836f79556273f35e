import { afterAll, describe, expect, it } from '@jest/globals';
import { exportFrom, listTables, tablesOf } from '#dev/testing';
import { exportedData } from '../src/db/exported-data.ts';
import { createUser } from './factories.ts';
import { startUsers } from './start-users.ts';

const service = await startUsers();
afterAll(service.stop);

describe('ExportMyData of users', () => {
  it('has the caller’s profile with its settings, and nobody else’s', async () => {
    const { userId, token } = await createUser(service, { displayName: 'Grace' });
    await createUser(service);
    const { byType } = await exportFrom(service.app, { token });
    expect(byType).toEqual({
      user: [
        expect.objectContaining({
          id: userId,
          email: `${userId}@example.com`,
          displayName: 'Grace',
          channels: ['NOTIFICATION_CHANNEL_INBOX'],
          createTime: '2026-01-02T03:04:05.678Z',
        }),
      ],
      audit_event: [expect.objectContaining({ action: 'data_exported', accountId: userId })],
    });
  });

  it('is empty before the profile has arrived', async () => {
    const { userId } = await createUser(service);
    await service.sql('delete from profiles where id = $1', [userId]);
    expect((await exportFrom(service.app, { token: await service.tokenFor(userId) })).byType['user']).toEqual([]);
  });

  it('names every table, as exported or with the reason why not', async () => {
    expect(tablesOf(exportedData(service.config))).toEqual(await listTables(service.sql));
  });
});
