import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TokenPair } from '#contract/auth/v1/auth';
import { registerAccount } from './factories.ts';
import { startAuth, type TestAuth } from './start-auth.ts';

const graceMs = 10_000;
let service: TestAuth;
let strict: TestAuth;
beforeAll(async () => {
  service = await startAuth({ config: { refreshGraceMs: graceMs } });
  strict = await startAuth({ config: { refreshGraceMs: 0 } });
});
afterAll(async () => {
  await service?.stop();
  await strict?.stop();
});

async function refresh({ auth }: TestAuth, refreshToken: string): Promise<TokenPair> {
  const { tokens } = await auth.refreshSession({ refreshToken });
  if (tokens === undefined) throw new Error('the answer has no tokens');
  return tokens;
}

const invalid = { kind: 'unauthenticated', reason: 'REFRESH_TOKEN_INVALID' };
const reused = { kind: 'unauthenticated', reason: 'TOKEN_REUSED' };

describe('RefreshSession', () => {
  it('gives a new pair each time', async () => {
    const { tokens } = await registerAccount(service);
    const seen = [tokens];
    for (let round = 0; round < 5; round += 1) seen.push(await refresh(service, seen.at(-1)?.refreshToken ?? ''));
    expect(new Set(seen.map((pair) => pair.refreshToken)).size).toBe(6);
    expect(new Set(seen.map((pair) => pair.accessToken)).size).toBe(6);
  });

  it('D1: a replaced refresh token stops working and ends its session', async () => {
    const { tokens } = await registerAccount(strict);
    const next = await refresh(strict, tokens.refreshToken);
    await expect(refresh(strict, tokens.refreshToken)).rejects.toMatchObject(reused);
    await expect(refresh(strict, next.refreshToken)).rejects.toMatchObject({ kind: 'unauthenticated' });
    expect(strict.logLines.join('')).toContain('replaced refresh token was used again; session ended');
  });

  it('D1: an access token is no refresh token', async () => {
    const { tokens } = await registerAccount(service);
    await expect(refresh(service, tokens.accessToken)).rejects.toMatchObject(invalid);
  });

  it('gives 20 parallel requests with one token the same successor', async () => {
    const { tokens } = await registerAccount(service);
    const pairs = await Promise.all(Array.from({ length: 20 }, () => refresh(service, tokens.refreshToken)));
    expect(new Set(pairs.map((pair) => pair.refreshToken)).size).toBe(1);
    await refresh(service, pairs[0]?.refreshToken ?? '');
  });

  it('gives the same successor through every replica', async () => {
    const replica = await startAuth({ replicaOf: service });
    try {
      const { tokens } = await registerAccount(service);
      const pairs = await Promise.all(Array.from({ length: 10 }, (_, index) => refresh(index % 2 === 0 ? service : replica, tokens.refreshToken)));
      expect(new Set(pairs.map((pair) => pair.refreshToken)).size).toBe(1);
    } finally {
      await replica.stop();
    }
  });

  it('lets a client in that repeats its last refresh because the answer got lost', async () => {
    const { tokens } = await registerAccount(service);
    const lost = await refresh(service, tokens.refreshToken);
    service.clock.advance(graceMs / 2);
    expect((await refresh(service, tokens.refreshToken)).refreshToken).toBe(lost.refreshToken);
  });

  it('takes a repeat after the grace window for a theft: the whole session ends, and only this one', async () => {
    const { request, tokens } = await registerAccount(service);
    const other = await service.auth.login(request);
    const second = await refresh(service, tokens.refreshToken);
    const third = await refresh(service, second.refreshToken);
    service.clock.advance(graceMs);
    await expect(refresh(service, tokens.refreshToken)).rejects.toMatchObject(reused);
    await expect(refresh(service, third.refreshToken)).rejects.toMatchObject(reused);
    await refresh(service, other.tokens?.refreshToken ?? '');
    const reasons = await service.sql<{ revoke_reason: string }>('select revoke_reason from sessions where revoke_reason is not null and id in (select session_id from refresh_tokens where token_hash = $1)', [hashOf(tokens.refreshToken)]);
    expect(reasons).toEqual([{ revoke_reason: 'token_reused' }]);
  });

  it('lets one of 20 parallel requests through when there is no grace', async () => {
    const { tokens } = await registerAccount(strict);
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => refresh(strict, tokens.refreshToken)));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject(reused);
  });

  it('refuses unknown tokens, and names the field of impossible ones', async () => {
    await expect(refresh(service, `tfr_${'A'.repeat(43)}`)).rejects.toMatchObject(invalid);
    for (const refreshToken of ['', 'x'.repeat(513)]) {
      await expect(refresh(service, refreshToken)).rejects.toMatchObject({
        reason: 'INVALID_FIELD',
        details: { violations: [{ field: 'refresh_token', description: expect.any(String) }] },
      });
    }
  });

  it('extends the session with every use, and refuses it when it was not used for too long', async () => {
    const { tokens } = await registerAccount(service);
    const { sessionLifetimeMs } = service.config;
    service.clock.advance(sessionLifetimeMs / 2);
    const next = await refresh(service, tokens.refreshToken);
    expect(next.refreshTokenExpireTime?.getTime()).toBeGreaterThan(tokens.refreshTokenExpireTime?.getTime() ?? 0);
    service.clock.advance(sessionLifetimeMs + 1000);
    await expect(refresh(service, next.refreshToken)).rejects.toMatchObject(invalid);
  });

  it('refuses a disabled account', async () => {
    const { account, tokens } = await registerAccount(service);
    await service.sql('update accounts set enabled = false where id = $1', [account.id]);
    await expect(refresh(service, tokens.refreshToken)).rejects.toMatchObject(invalid);
  });

  it('forgets sessions, with their tokens, a week after they have expired', async () => {
    const [old, young] = [await registerAccount(service), await registerAccount(service)];
    const expire = (accountId: string, days: number) =>
      service.sql(`update sessions set expire_time = now() - $2 * interval '1 day' where account_id = $1`, [accountId, days]);
    await expire(old.account.id, 500);
    await expire(young.account.id, -500);
    const hashes = [old, young].map(({ tokens }) => hashOf(tokens.refreshToken));
    const cleaner = await startAuth({ replicaOf: service });
    try {
      const left = () => service.sql<{ token_hash: string }>('select token_hash from refresh_tokens where token_hash = any ($1)', [hashes]);
      while ((await left()).length > 1) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await left()).toEqual([{ token_hash: hashes[1] }]);
    } finally {
      await cleaner.stop();
    }
  });

  it('stores hashes only', async () => {
    const { tokens } = await registerAccount(service);
    const next = await refresh(service, tokens.refreshToken);
    const rows = await service.sql<{ row: string }>('select to_jsonb(t)::text as row from refresh_tokens t union all select to_jsonb(s)::text from sessions s');
    const dump = rows.map(({ row }) => row).join('');
    for (const token of [tokens.refreshToken, next.refreshToken]) {
      expect(dump).not.toContain(token.slice('tfr_'.length));
      expect(dump).toContain(hashOf(token));
    }
  });
});

describe('Logout', () => {
  it('ends the session at once', async () => {
    const { tokens } = await registerAccount(service);
    expect(await service.auth.logout({ refreshToken: tokens.refreshToken })).toEqual({});
    await expect(refresh(service, tokens.refreshToken)).rejects.toMatchObject(invalid);
  });

  it('works with a replaced token of the session, too', async () => {
    const { tokens } = await registerAccount(service);
    const next = await refresh(service, tokens.refreshToken);
    await service.auth.logout({ refreshToken: tokens.refreshToken });
    await expect(refresh(service, next.refreshToken)).rejects.toMatchObject(invalid);
  });

  it('is no error when it is repeated, or when the token is unknown', async () => {
    const { tokens } = await registerAccount(service);
    for (const refreshToken of [tokens.refreshToken, tokens.refreshToken, 'unknown']) expect(await service.auth.logout({ refreshToken })).toEqual({});
  });

  it('wins or loses cleanly against a refresh at the same time', async () => {
    const { tokens } = await registerAccount(service);
    const { refreshToken } = tokens;
    const [refreshed] = await Promise.allSettled([refresh(service, refreshToken), service.auth.logout({ refreshToken })]);
    const latest = refreshed.status === 'fulfilled' ? refreshed.value.refreshToken : refreshToken;
    await expect(refresh(service, latest)).rejects.toMatchObject(invalid);
  });
});

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
