import { afterAll, describe, expect, it } from '@jest/globals';
import { hash } from '@node-rs/argon2';
import { Status } from '#google/rpc/status';
import type { CallError } from '#dev/stubs';
import { createPasswordHasher } from '../src/security/password-hasher.ts';
import { refusal } from '#dev/testing';
import { as, refresh, registerAccount, registration } from './factories.ts';
import { startAuth, startBehindProxy, startForTest, useAfterTest } from './start-auth.ts';

useAfterTest();

const service = await startAuth();
afterAll(service.stop);

/** The status as sent, without the id of the call. */
function statusWithoutCallId(error: CallError): Status {
  const status = Status.decode(error.statusBytes ?? Buffer.alloc(0));
  return { ...status, details: status.details.filter((detail) => !detail.typeUrl.endsWith('google.rpc.RequestInfo')) };
}

describe('Login', () => {
  it('opens a new session each time, for the e-mail in any letter case', async () => {
    const { request, account, tokens } = await registerAccount(service);
    const second = await service.auth.login({ ...request, email: ` ${request.email.toUpperCase()} ` });
    expect(second.account).toEqual(account);
    expect(second.tokens?.refreshToken).not.toBe(tokens.refreshToken);
    expect(await service.sql('select 1 from sessions where account_id = $1', [account.id])).toHaveLength(2);
  });

  it('D17: answers an unknown e-mail, a wrong password and a disabled account with the same bytes', async () => {
    const { request } = await registerAccount(service);
    const disabled = await registerAccount(service);
    await service.sql('update accounts set enabled = false where id = $1', [disabled.account.id]);
    const callId = 'one-id-for-all';
    const errors = [
      await refusal(service.auth.login({ ...request, password: 'wrong password' }, { requestId: callId })),
      await refusal(service.auth.login(registration(), { requestId: callId })),
      await refusal(service.auth.login(disabled.request, { requestId: callId })),
    ];
    for (const error of errors) expect(error).toMatchObject({ kind: 'unauthenticated', reason: 'CREDENTIALS_INVALID' });
    expect(new Set(errors.map((error) => error.statusBytes?.toString('hex'))).size).toBe(1);
    const otherId = await refusal(service.auth.login({ ...request, password: 'wrong password' }));
    expect(statusWithoutCallId(otherId)).toEqual(statusWithoutCallId(errors[0] as CallError));
  });

  it('D17: hashes the password for an unknown e-mail, too', async () => {
    const real = await createPasswordHasher();
    const checks: boolean[] = [];
    const watched = await startForTest({
      overrides: {
        passwords: {
          ...real,
          verify: async (hash, password) => real.verify(hash, password).finally(() => checks.push(hash !== undefined)),
        },
      },
    });
    const { request } = await registerAccount(watched);
    await refusal(watched.auth.login({ ...request, password: 'wrong password' }));
    await refusal(watched.auth.login(registration()));
    expect(checks).toEqual([true, false]);
  });

  it('stores passwords as argon2id with 19 MiB, two passes and one lane', async () => {
    const { account } = await registerAccount(service);
    const [row] = await service.sql<{ password_hash: string }>('select password_hash from accounts where id = $1', [
      account.id,
    ]);
    expect(row?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  it('accepts a password in every Unicode form', async () => {
    const password = 'caf\u00e9 \u212b\u00a0\u1e69 \uac00';
    const { request } = await registerAccount(service, { password });
    for (const sent of [
      password.normalize('NFC'),
      password.normalize('NFD'),
      password.replace('\u00a0', '\u3000'),
      password.replace('\u00a0', ' '),
    ]) {
      await service.auth.login({ ...request, password: sent });
    }
    await expect(
      service.auth.login({ ...request, password: password.normalize('NFKC').replace('\u00e9', 'e') }),
    ).rejects.toMatchObject({ reason: 'CREDENTIALS_INVALID' });
    const session = as(await service.auth.login(request));
    await service.auth.changePassword(
      { currentPassword: password.normalize('NFD'), newPassword: password.normalize('NFD').replace('caf', 'CAF') },
      session,
    );
    await service.auth.login({ ...request, password: password.normalize('NFC').replace('caf', 'CAF') });
  });

  it('accepts a hash of the bytes that were sent, and renews it', async () => {
    const password = 'cafe\u0301 battery';
    const { request, account } = await registerAccount(service);
    const store = (passwordHash: string) =>
      service.sql('update accounts set password_hash = $2 where id = $1', [account.id, passwordHash]);
    await store(await hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 }));
    await expect(service.auth.login({ ...request, password: password.normalize('NFC') })).rejects.toMatchObject({
      reason: 'CREDENTIALS_INVALID',
    });
    await service.auth.login({ ...request, password });
    await service.auth.login({ ...request, password: password.normalize('NFC') });
    await service.auth.login({ ...request, password });
  });

  it('refuses excess sign-ins with a time to retry, and serves the others', async () => {
    const passwords = await createPasswordHasher({ concurrency: 1, maxWaiting: 3 });
    const flooded = await startForTest({
      overrides: { passwords },
      config: { passwordAttempts: { free: 100, firstWaitMs: 1000, longestWaitMs: 1000 } },
    });
    const request = registration();
    await flooded.auth.register(request);
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => flooded.auth.login(request)));
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(12);
    for (const { reason } of refused) {
      expect(reason).toMatchObject({
        kind: 'resource_exhausted',
        reason: 'OVERLOADED',
        details: { retryAfterMs: expect.any(Number) },
      });
    }
  });

  it.each([
    ['an access token in the way', { authorization: 'Bearer expired.or.worse' }],
    ['nothing else', {}],
  ])('works with %s', async (_, metadata) => {
    const { request } = await registerAccount(service);
    await expect(service.auth.login(request, { metadata: metadata as Record<string, string> })).resolves.toMatchObject({
      account: { email: request.email },
    });
  });
});

describe('with the database down', () => {
  it('D33: answers UNAVAILABLE, and works again when the database is back', async () => {
    const { cut, proxy } = await startBehindProxy();
    const { request, tokens } = await registerAccount(cut);
    await proxy.cut();
    const down = {
      kind: 'unavailable',
      reason: 'DATABASE_UNAVAILABLE',
      details: { retryAfterMs: expect.any(Number) },
    };
    await expect(cut.auth.login(request)).rejects.toMatchObject(down);
    await expect(cut.auth.login({ ...request, password: 'wrong password' })).rejects.toMatchObject(down);
    await expect(cut.auth.register(registration())).rejects.toMatchObject(down);
    await expect(refresh(cut, { tokens })).rejects.toMatchObject(down);
    await expect(cut.auth.logout({ refreshToken: tokens.refreshToken })).rejects.toMatchObject(down);
    expect((await cut.auth.getJwks({})).keys).toHaveLength(1);
    await proxy.restore();
    await expect(cut.auth.login(request)).resolves.toMatchObject({ account: { email: request.email } });
    expect(cut.logLines.filter((line) => line.includes('"INTERNAL"'))).toEqual([]);
  });
});
