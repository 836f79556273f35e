import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { TokenPair } from '#contract/auth/v1/auth';
import { invalidFields } from '#dev/testing';
import { registerAccount } from './factories.ts';
import { startAuth, startForTest, type TestAuth, useAfterTest } from './start-auth.ts';

useAfterTest();

const graceMs = 10_000;
const service = await startAuth({ config: { refreshGraceMs: graceMs } });
afterAll(service.stop);
const strict = await startAuth({ config: { refreshGraceMs: 0 } });
afterAll(strict.stop);

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
    const replica = await startForTest({ replicaOf: service });
    const { tokens } = await registerAccount(service);
    const pairs = await Promise.all(
      Array.from({ length: 10 }, (_, index) => refresh(index % 2 === 0 ? service : replica, tokens.refreshToken)),
    );
    expect(new Set(pairs.map((pair) => pair.refreshToken)).size).toBe(1);
  });

  it('accepts the repeat of a refresh whose answer got lost', async () => {
    const { tokens } = await registerAccount(service);
    const lost = await refresh(service, tokens.refreshToken);
    service.clock.advance(graceMs / 2);
    expect((await refresh(service, tokens.refreshToken)).refreshToken).toBe(lost.refreshToken);
  });

  it('treats a repeat after the grace window as a theft, and ends this session alone', async () => {
    const { request, tokens } = await registerAccount(service);
    const other = await service.auth.login(request);
    const second = await refresh(service, tokens.refreshToken);
    const third = await refresh(service, second.refreshToken);
    service.clock.advance(graceMs);
    await expect(refresh(service, tokens.refreshToken)).rejects.toMatchObject(reused);
    await expect(refresh(service, third.refreshToken)).rejects.toMatchObject(reused);
    await refresh(service, other.tokens?.refreshToken ?? '');
    const reasons = await service.sql<{ revoke_reason: string }>(
      'select revoke_reason from sessions where revoke_reason is not null and id in (select session_id from refresh_tokens where token_hash = $1)',
      [hashOf(tokens.refreshToken)],
    );
    expect(reasons).toEqual([{ revoke_reason: 'token_reused' }]);
  });

  it('rotates again from a token whose answer was lost, long after the grace window', async () => {
    const { tokens } = await registerAccount(service);
    const lost = [await refresh(service, tokens.refreshToken)];
    for (let round = 0; round < 3; round += 1) {
      service.clock.advance(graceMs * 10 ** round);
      const again = await Promise.all(Array.from({ length: 20 }, () => refresh(service, tokens.refreshToken)));
      expect(new Set(again.map((pair) => pair.refreshToken)).size).toBe(1);
      lost.push(...again.slice(0, 1));
    }
    expect(new Set(lost.map((pair) => pair.refreshToken)).size).toBe(4);
    const { refreshToken } = await refresh(service, lost.at(-1)?.refreshToken ?? '');
    expect(service.logLines.join('')).toContain('its unused successor was discarded');
    service.clock.advance(graceMs);
    await refresh(service, refreshToken);
  });

  it('treats the use of a discarded successor as a theft, even within the grace window', async () => {
    const { tokens } = await registerAccount(service);
    const first = await refresh(service, tokens.refreshToken);
    service.clock.advance(graceMs);
    const second = await refresh(service, tokens.refreshToken);
    await expect(refresh(service, first.refreshToken)).rejects.toMatchObject(reused);
    await expect(refresh(service, second.refreshToken)).rejects.toMatchObject(reused);
  });

  it('refuses a token whose answer was lost when the session has expired', async () => {
    const { tokens } = await registerAccount(service);
    await refresh(service, tokens.refreshToken);
    service.clock.advance(service.config.sessionLifetimeMs + 1000);
    await expect(refresh(service, tokens.refreshToken)).rejects.toMatchObject(invalid);
  });

  it('accepts tokens that the release before has replaced', async () => {
    const { account, tokens } = await registerAccount(service);
    const second = await refresh(service, tokens.refreshToken);
    const ofAccount = 'session_id in (select id from sessions where account_id = $1)';
    await service.sql(`update refresh_tokens set successor_generation = null where ${ofAccount}`, [account.id]);
    expect((await refresh(service, tokens.refreshToken)).refreshToken).toBe(second.refreshToken);
    service.clock.advance(graceMs);
    const third = await refresh(service, tokens.refreshToken);
    await refresh(service, third.refreshToken);
  });

  it('lets one of 20 parallel requests through when there is no grace', async () => {
    const { tokens } = await registerAccount(strict);
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => refresh(strict, tokens.refreshToken)));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject(reused);
  });

  it('refuses unknown tokens, and names the field for malformed ones', async () => {
    await expect(refresh(service, `tfr_${'A'.repeat(43)}`)).rejects.toMatchObject(invalid);
    for (const refreshToken of ['', 'x'.repeat(513)])
      expect(await invalidFields(refresh(service, refreshToken))).toEqual(['refresh_token']);
  });

  it('refuses other spellings of a token, and leaves its session alone', async () => {
    const { tokens } = await registerAccount(service);
    const last = String.fromCharCode((tokens.refreshToken.at(-1) ?? '').charCodeAt(0) + 1);
    for (const spelling of [
      tokens.refreshToken.slice(0, -1) + last,
      `${tokens.refreshToken}=`,
      ` ${tokens.refreshToken}`,
      tokens.refreshToken.toUpperCase(),
    ]) {
      await expect(refresh(service, spelling)).rejects.toMatchObject(invalid);
    }
    await refresh(service, tokens.refreshToken);
  });

  it('extends the session with every use, and refuses it after a lifetime without use', async () => {
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

  it('removes sessions, with their tokens, a week after they have expired', async () => {
    const [old, young] = [await registerAccount(service), await registerAccount(service)];
    const expire = (accountId: string, days: number) =>
      service.sql(`update sessions set expire_time = now() - $2 * interval '1 day' where account_id = $1`, [
        accountId,
        days,
      ]);
    await expire(old.account.id, 500);
    await expire(young.account.id, -500);
    const hashes = [old, young].map(({ tokens }) => hashOf(tokens.refreshToken));
    await startForTest({ replicaOf: service });
    const left = () =>
      service.sql<{ token_hash: string }>('select token_hash from refresh_tokens where token_hash = any ($1)', [
        hashes,
      ]);
    while ((await left()).length > 1) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await left()).toEqual([{ token_hash: hashes[1] }]);
  });

  it('stores hashes only', async () => {
    const { tokens } = await registerAccount(service);
    const next = await refresh(service, tokens.refreshToken);
    const rows = await service.sql<{ row: string }>(
      'select to_jsonb(t)::text as row from refresh_tokens t union all select to_jsonb(s)::text from sessions s',
    );
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

  it('accepts a replaced token of the session', async () => {
    const { tokens } = await registerAccount(service);
    const next = await refresh(service, tokens.refreshToken);
    await service.auth.logout({ refreshToken: tokens.refreshToken });
    await expect(refresh(service, next.refreshToken)).rejects.toMatchObject(invalid);
  });

  it('succeeds when it is repeated, or when the token is unknown', async () => {
    const { tokens } = await registerAccount(service);
    for (const refreshToken of [tokens.refreshToken, tokens.refreshToken, 'unknown'])
      expect(await service.auth.logout({ refreshToken })).toEqual({});
  });

  it('ends a session that is refreshed at the same time', async () => {
    const { tokens } = await registerAccount(service);
    const { refreshToken } = tokens;
    const [refreshed] = await Promise.allSettled([
      refresh(service, refreshToken),
      service.auth.logout({ refreshToken }),
    ]);
    const latest = refreshed.status === 'fulfilled' ? refreshed.value.refreshToken : refreshToken;
    await expect(refresh(service, latest)).rejects.toMatchObject(invalid);
  });
});

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
