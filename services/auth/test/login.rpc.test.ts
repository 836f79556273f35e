import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Status } from '#google/rpc/status';
import { startTcpProxy, testPostgresUrl } from '#libs/devcluster';
import type { CallError } from '#libs/grpc';
import { createPasswordHasher } from '../src/security/password-hasher.ts';
import { refusal } from '../../test/refusals.ts';
import { registerAccount, registration } from './factories.ts';
import { startAuth, type TestAuth } from './start-auth.ts';

let service: TestAuth;
beforeAll(async () => {
  service = await startAuth();
});
afterAll(() => service?.stop());

/** The status as sent, without the id of the call. */
function statusWithoutCallId(error: CallError): Status {
  const status = Status.decode(error.statusBytes ?? Buffer.alloc(0));
  return { ...status, details: status.details.filter((detail) => !detail.typeUrl.endsWith('google.rpc.RequestInfo')) };
}

describe('Login', () => {
  it('opens a session of its own each time, in whatever letter case the e-mail comes', async () => {
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
      await refusal(service.auth.login({ ...request, password: 'wrong password' }, { callId })),
      await refusal(service.auth.login(registration(), { callId })),
      await refusal(service.auth.login(disabled.request, { callId })),
    ];
    for (const error of errors) expect(error).toMatchObject({ kind: 'unauthenticated', reason: 'CREDENTIALS_INVALID' });
    expect(new Set(errors.map((error) => error.statusBytes?.toString('hex'))).size).toBe(1);
    const otherId = await refusal(service.auth.login({ ...request, password: 'wrong password' }));
    expect(statusWithoutCallId(otherId)).toEqual(statusWithoutCallId(errors[0] as CallError));
  });

  it('D17: does the work of a password check for an unknown e-mail too', async () => {
    const real = await createPasswordHasher();
    const checks: boolean[] = [];
    const watched = await startAuth({
      overrides: { passwords: { ...real, verify: async (hash, password) => real.verify(hash, password).finally(() => checks.push(hash !== undefined)) } },
    });
    try {
      const { request } = await registerAccount(watched);
      await refusal(watched.auth.login({ ...request, password: 'wrong password' }));
      await refusal(watched.auth.login(registration()));
      expect(checks).toEqual([true, false]);
    } finally {
      await watched.stop();
    }
  });

  it('stores passwords as argon2id with the cost that was decided', async () => {
    const { account } = await registerAccount(service);
    const [row] = await service.sql<{ password_hash: string }>('select password_hash from accounts where id = $1', [account.id]);
    expect(row?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  it('answers what is too much at once with a time to retry, and serves the rest', async () => {
    const passwords = await createPasswordHasher({ concurrency: 1, maxWaiting: 3 });
    const flooded = await startAuth({ overrides: { passwords }, config: { passwordAttempts: { free: 100, firstWaitMs: 1000, longestWaitMs: 1000 } } });
    try {
      const request = registration();
      await flooded.auth.register(request);
      const results = await Promise.allSettled(Array.from({ length: 12 }, () => flooded.auth.login(request)));
      const refused = results.filter((result) => result.status === 'rejected');
      expect(refused.length).toBeGreaterThan(0);
      expect(refused.length).toBeLessThan(12);
      for (const { reason } of refused) {
        expect(reason).toMatchObject({ kind: 'resource_exhausted', reason: 'OVERLOADED', details: { retryAfterMs: expect.any(Number) } });
      }
    } finally {
      await flooded.stop();
    }
  });

  it.each([
    ['an access token in the way', { authorization: 'Bearer expired.or.worse' }],
    ['nothing else', {}],
  ])('works with %s', async (_, metadata) => {
    const { request } = await registerAccount(service);
    await expect(service.auth.login(request, { metadata: metadata as Record<string, string> })).resolves.toMatchObject({ account: { email: request.email } });
  });
});

describe('with the database down', () => {
  it('D33: says UNAVAILABLE to everybody, and works again when it is back', async () => {
    const proxy = await startTcpProxy(testPostgresUrl());
    const cut = await startAuth({ databaseUrl: (url) => Object.assign(new URL(url), { host: new URL(proxy.url).host }).href });
    try {
      const { request, tokens } = await registerAccount(cut);
      await proxy.cut();
      const down = { kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE', details: { retryAfterMs: expect.any(Number) } };
      await expect(cut.auth.login(request)).rejects.toMatchObject(down);
      await expect(cut.auth.login({ ...request, password: 'wrong password' })).rejects.toMatchObject(down);
      await expect(cut.auth.register(registration())).rejects.toMatchObject(down);
      await expect(cut.auth.refreshSession({ refreshToken: tokens.refreshToken })).rejects.toMatchObject(down);
      await expect(cut.auth.logout({ refreshToken: tokens.refreshToken })).rejects.toMatchObject(down);
      expect((await cut.auth.getJwks({})).keys).toHaveLength(1);
      await proxy.restore();
      await expect(cut.auth.login(request)).resolves.toMatchObject({ account: { email: request.email } });
      expect(cut.logLines.filter((line) => line.includes('"INTERNAL"'))).toEqual([]);
    } finally {
      await cut.stop();
      await proxy.close();
    }
  });
});
