import { describe, expect, it } from '@jest/globals';
import { Role } from '#contract/auth/v1/auth';
import { registerAccount } from './factories.ts';
import { startForTest, useAfterTest } from './start-auth.ts';

useAfterTest();

const administrator = { email: 'admin@example.com', password: 'the first password' };

describe('the first administrator', () => {
  it('can log in as soon as the service is ready, and its profile is in the outbox', async () => {
    const service = await startForTest({ config: { administrator } });
    const { account } = await service.auth.login(administrator);
    expect(account).toMatchObject({ email: administrator.email, role: Role.ADMIN });
    expect(
      await service.sql(`select payload->>'role' as role from outbox where payload->>'accountId' = $1`, [account?.id]),
    ).toEqual([{ role: 'admin' }]);
  });

  it('is created once when several replicas start at the same time', async () => {
    const first = await startForTest();
    await Promise.all(Array.from({ length: 3 }, () => startForTest({ replicaOf: first, config: { administrator } })));
    expect(await first.sql('select role from accounts')).toEqual([{ role: 'admin' }]);
    expect(await first.sql('select 1 from outbox')).toHaveLength(1);
  });

  it('keeps its own password when the configuration names another one later', async () => {
    const first = await startForTest({ config: { administrator } });
    const second = await startForTest({
      replicaOf: first,
      config: { administrator: { ...administrator, password: 'another password' } },
    });
    await second.auth.login(administrator);
    await expect(second.auth.login({ ...administrator, password: 'another password' })).rejects.toMatchObject({
      reason: 'CREDENTIALS_INVALID',
    });
  });

  it('is not made of an account that was registered before', async () => {
    const first = await startForTest();
    const { request } = await registerAccount(first, { email: administrator.email });
    const second = await startForTest({ replicaOf: first, config: { administrator } });
    expect((await second.auth.login(request)).account?.role).toBe(Role.USER);
    expect(second.logLines.join('')).toContain('was not promoted');
  });
});
