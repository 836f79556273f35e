import { afterEach, describe, expect, it } from '@jest/globals';
import { startTcpProxy, testPostgresUrl } from '#dev/cluster';
import { createUser, profileRequest } from './factories.ts';
import { startUsers, type TestUsers } from './start-users.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function untilReadinessIs({ app }: TestUsers, status: number): Promise<void> {
  while ((await fetch(`http://127.0.0.1:${app.httpPort}/readyz`)).status !== status)
    await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('with auth down', () => {
  it('serves, and refuses calls that need keys as KEYS_UNAVAILABLE', async () => {
    const service = await startUsers({ realKeys: true });
    cleanUps.push(service.stop);
    await untilReadinessIs(service, 200);
    const { userId } = profileRequest();
    await expect(service.users.getMe({}, { token: await service.tokenFor(userId) })).rejects.toMatchObject({
      kind: 'unavailable',
      reason: 'KEYS_UNAVAILABLE',
      details: { retryAfterMs: expect.any(Number) },
    });
    // Other services prove themselves without auth.
    await service.internal.upsertProfile(profileRequest({ userId }), await service.asService('auth'));
    expect(await service.sql('select id from profiles')).toEqual([{ id: userId }]);
  });
});

describe('with the database down', () => {
  it('D33: answers UNAVAILABLE, is alive but not ready, and works again when the database is back', async () => {
    const proxy = await startTcpProxy(testPostgresUrl());
    const service = await startUsers({
      databaseUrl: (url) => Object.assign(new URL(url), { host: new URL(proxy.url).host }).href,
    });
    cleanUps.push(proxy.close, service.stop);
    const { userId, token } = await createUser(service);
    const adminToken = await service.tokenFor(userId, 'admin');
    await untilReadinessIs(service, 200);

    await proxy.cut();
    const down = { kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE', details: { retryAfterMs: expect.any(Number) } };
    const tasks = await service.asService('tasks');
    await expect(service.users.getMe({}, { token })).rejects.toMatchObject(down);
    await expect(service.users.getUser({ userId }, { token })).rejects.toMatchObject(down);
    await expect(service.users.listUsers({}, { token: adminToken })).rejects.toMatchObject(down);
    await expect(service.internal.batchGetUsers({ userIds: [userId] }, tasks)).rejects.toMatchObject(down);
    await expect(
      service.internal.upsertProfile(profileRequest(), await service.asService('auth')),
    ).rejects.toMatchObject(down);
    await untilReadinessIs(service, 503);
    expect((await fetch(`http://127.0.0.1:${service.app.httpPort}/livez`)).status).toBe(200);

    await proxy.restore();
    await untilReadinessIs(service, 200);
    expect((await service.users.getMe({}, { token })).user?.id).toBe(userId);
  });
});
