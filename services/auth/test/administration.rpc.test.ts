import { afterAll, describe, expect, it } from '@jest/globals';
import { kindAndReason } from '#dev/testing';
import { decodeJwt } from 'jose';
import { Role, type Account } from '#contract/auth/v1/auth';
import { as, refresh, registerAccount, registerAdmin, tokenInvalid, untilRefused, type SignedIn } from './factories.ts';
import { startAuth, startForTest, type TestAuth, useAfterTest } from './start-auth.ts';

useAfterTest();

const service = await startAuth();
afterAll(service.stop);
let admin = await registerAdmin(service);

const lastAdmin = {
  kind: 'failed_precondition',
  reason: 'LAST_ADMIN',
  details: {
    preconditions: [
      {
        type: 'LAST_ADMIN',
        subject: expect.stringMatching(/^accounts\/[0-9a-f-]{36}$/),
        description: expect.any(String),
      },
    ],
  },
};

const enabledAdmins = () =>
  service.sql<{ id: string }>(`select id from accounts where role = 'admin' and enabled order by id`);

describe('SetRole', () => {
  it('ends earlier access tokens; the session goes on with the new role', async () => {
    const user = await registerAccount(service);
    const { account } = await service.auth.setRole({ accountId: user.account.id, role: Role.ADMIN }, as(admin));
    expect(account).toEqual({ ...user.account, role: Role.ADMIN, etag: expect.any(String) });
    // In the same second: what is issued from now on is good, what was issued before is not, at once and for ever.
    const promoted = await refresh(service, user);
    expect((await untilRefused(() => service.auth.listSessions({}, as(user)))).error).toMatchObject(tokenInvalid);
    await service.auth.listSessions({}, as(promoted));
    await service.auth.setRole({ accountId: user.account.id, role: Role.USER }, as(promoted));
    expect((await untilRefused(() => service.auth.listSessions({}, as(promoted)))).error).toMatchObject(tokenInvalid);
    const demoted = await service.auth.login(user.request);
    await service.auth.listSessions({}, as(demoted));
    await expect(
      service.auth.setRole({ accountId: user.account.id, role: Role.ADMIN }, as(demoted)),
    ).rejects.toMatchObject({ reason: 'ADMIN_REQUIRED' });
  });

  it('gives each of several changes in one second its own time', async () => {
    const user = await registerAccount(service);
    const seen: number[] = [decodeJwt(user.tokens.accessToken).iat ?? 0];
    for (const role of [Role.ADMIN, Role.USER, Role.ADMIN, Role.USER]) {
      await service.auth.setRole({ accountId: user.account.id, role }, as(admin));
      const { tokens } = await service.auth.login(user.request);
      seen.push(decodeJwt(tokens?.accessToken ?? '').iat ?? 0);
    }
    expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
  });

  it('that changes nothing ends no token and sends nothing to users', async () => {
    const user = await registerAccount(service);
    expect((await service.auth.setRole({ accountId: user.account.id, role: Role.USER }, as(admin))).account).toEqual(
      user.account,
    );
    expect(await service.sql(`select 1 from outbox where payload->>'accountId' = $1`, [user.account.id])).toHaveLength(
      1,
    );
    expect(await service.sql('select 1 from revocations where account_id = $1', [user.account.id])).toEqual([]);
  });

  it('refuses an unknown account and an unknown role', async () => {
    const nobody = '00000000-0000-4000-8000-000000000000';
    expect(await kindAndReason(service.auth.setRole({ accountId: nobody, role: Role.USER }, as(admin)))).toBe(
      'not_found/USER_NOT_FOUND',
    );
    for (const role of [Role.UNSPECIFIED, 7 as unknown as Role]) {
      await expect(service.auth.setRole({ accountId: 'x', role }, as(admin))).rejects.toMatchObject({
        details: {
          violations: [
            { field: 'account_id', description: expect.any(String) },
            { field: 'role', description: 'must be USER or ADMIN' },
          ],
        },
      });
    }
  });
});

describe('DisableAccount', () => {
  it('ends sessions and tokens, and answers a login like a wrong password', async () => {
    const user = await registerAccount(service);
    const { account } = await service.auth.disableAccount({ accountId: user.account.id }, as(admin));
    expect(account).toEqual({ ...user.account, enabled: false, etag: expect.any(String) });
    await expect(refresh(service, user)).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_INVALID' });
    const callId = 'one-id-for-both';
    const [disabled, wrong] = await Promise.all(
      [user.request, { ...admin.request, password: 'wrong password' }].map((request) =>
        service.auth.login(request, { requestId: callId }).catch((error: { statusBytes?: Buffer }) => error),
      ),
    );
    expect((disabled as { statusBytes?: Buffer }).statusBytes).toEqual((wrong as { statusBytes?: Buffer }).statusBytes);
    expect((await untilRefused(() => service.auth.listSessions({}, as(user)))).error).toMatchObject(tokenInvalid);
  });

  it('succeeds when it is repeated, and EnableAccount lets the owner sign in again, in the same second', async () => {
    const user = await registerAccount(service);
    const accountId = user.account.id;
    await service.auth.disableAccount({ accountId }, as(admin));
    expect((await service.auth.disableAccount({ accountId }, as(admin))).account?.enabled).toBe(false);
    expect((await service.auth.enableAccount({ accountId }, as(admin))).account).toEqual({
      ...user.account,
      etag: expect.any(String),
    });
    await service.auth.enableAccount({ accountId }, as(admin));
    const again = await service.auth.login(user.request);
    expect((await untilRefused(() => service.auth.listSessions({}, as(user)))).error).toMatchObject(tokenInvalid);
    expect((await service.auth.listSessions({}, as(again))).sessions).toHaveLength(1);
    await expect(refresh(service, user)).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_INVALID' });
  });

  it('answers NOT_FOUND for an unknown account, as EnableAccount does', async () => {
    const accountId = '00000000-0000-4000-8000-000000000000';
    await expect(service.auth.disableAccount({ accountId }, as(admin))).rejects.toMatchObject({
      reason: 'USER_NOT_FOUND',
    });
    await expect(service.auth.enableAccount({ accountId }, as(admin))).rejects.toMatchObject({
      reason: 'USER_NOT_FOUND',
    });
  });

  it('ends a session that is refreshed at the same time', async () => {
    for (let round = 0; round < 5; round += 1) {
      const user = await registerAccount(service);
      const [refreshed] = await Promise.allSettled([
        refresh(service, user),
        service.auth.disableAccount({ accountId: user.account.id }, as(admin)),
      ]);
      if (refreshed.status === 'rejected') continue;
      await expect(refresh(service, refreshed.value)).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_INVALID' });
      expect((await untilRefused(() => service.auth.listSessions({}, as(refreshed.value)))).error).toMatchObject(
        tokenInvalid,
      );
    }
  });
});

describe('the last enabled administrator', () => {
  type Remove = (
    id: string,
    by: Pick<SignedIn, 'tokens'>,
    through?: TestAuth,
  ) => Promise<{ account?: Account | undefined }>;
  const demote: Remove = (id, by, { auth } = service) => auth.setRole({ accountId: id, role: Role.USER }, as(by));
  const disable: Remove = (id, by, { auth } = service) => auth.disableAccount({ accountId: id }, as(by));

  it('can be neither demoted nor disabled, not even by itself', async () => {
    expect(await enabledAdmins()).toEqual([{ id: admin.account.id }]);
    for (const remove of [demote, disable])
      await expect(remove(admin.account.id, admin)).rejects.toMatchObject(lastAdmin);
    const disabled = await registerAdmin(service);
    await disable(disabled.account.id, admin);
    for (const remove of [demote, disable])
      await expect(remove(admin.account.id, admin)).rejects.toMatchObject(lastAdmin);
    await demote(disabled.account.id, admin);
  });

  it.each([
    ['demote', demote],
    ['disable', disable],
  ])('is left when administrators %s each other at the same time', async (_, remove) => {
    const replica = await startForTest({ replicaOf: service });
    for (let round = 0; round < 6; round += 1) {
      const all = [admin];
      while (all.length < 4) all.push(await registerAdmin(service));
      const attempts = all.flatMap((by, index) =>
        all
          .filter((other) => other !== by)
          .map((other) => remove(other.account.id, by, index % 2 === 0 ? service : replica)),
      );
      const results = await Promise.allSettled(attempts);
      for (const result of results)
        if (result.status === 'rejected')
          expect(['LAST_ADMIN', 'TOKEN_INVALID']).toContain((result.reason as { reason: string }).reason);
      expect(await enabledAdmins()).toHaveLength(1);
      await service.sql(`update accounts set role = 'user', enabled = true where id <> $1`, [admin.account.id]);
      await service.sql(`update accounts set role = 'admin', enabled = true where id = $1`, [admin.account.id]);
      admin = { ...admin, ...((await service.auth.login(admin.request)) as Pick<SignedIn, 'tokens' | 'account'>) };
    }
  });
});
