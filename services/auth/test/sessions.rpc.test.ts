import { afterAll, describe, expect, it } from '@jest/globals';
import { invalidFields, kindAndReason, readPages } from '#dev/testing';
import { as, refresh, registerAccount, tokenInvalid, untilRefused } from './factories.ts';
import { startAuth } from './start-auth.ts';

const service = await startAuth();
afterAll(service.stop);

const invalid = { kind: 'unauthenticated', reason: 'REFRESH_TOKEN_INVALID' };

describe('ListSessions', () => {
  it('A8: shows where and when each session was opened, and which one is current', async () => {
    const { request, tokens } = await registerAccount(service);
    await service.auth.login(request);
    const { sessions } = await service.auth.listSessions({}, as({ tokens }));
    const session = {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      createTime: expect.any(Date),
      lastUseTime: expect.any(Date),
      expireTime: expect.any(Date),
      userAgent: expect.stringMatching(/^grpc-node-js/),
      ipAddress: '127.0.0.1',
      etag: expect.stringMatching(/^".+"$/),
    };
    expect(sessions).toEqual([
      { ...session, current: false },
      { ...session, current: true },
    ]);
  });

  it('puts the last used first: a refresh counts as use', async () => {
    const { request, tokens } = await registerAccount(service);
    service.clock.advance(1000);
    await service.auth.login(request);
    service.clock.advance(1000);
    const refreshed = await refresh(service, { tokens });
    const { sessions } = await service.auth.listSessions({}, as(refreshed));
    expect(sessions.map(({ current }) => current)).toEqual([true, false]);
    expect(sessions[0]?.lastUseTime?.getTime()).toBeGreaterThan(sessions[0]?.createTime?.getTime() ?? Infinity);
  });

  it('cuts a long user agent at 200 characters', async () => {
    const { request, tokens } = await registerAccount(service);
    await service.sql(`update sessions set user_agent = 'before'`);
    await service.auth.refreshSession(
      { refreshToken: tokens.refreshToken },
      { metadata: { 'user-agent': 'x'.repeat(300) } },
    );
    const { sessions } = await service.auth.listSessions({}, as(await service.auth.login(request)));
    for (const { userAgent } of sessions) {
      expect(userAgent).not.toBe('before');
      expect([...userAgent].length).toBeLessThanOrEqual(200);
    }
  });

  it("lists neither other users' sessions nor ended ones", async () => {
    const other = await registerAccount(service);
    const { request, tokens } = await registerAccount(service);
    const { tokens: ended } = await service.auth.login(request);
    await service.auth.logout({ refreshToken: ended?.refreshToken ?? '' });
    expect((await service.auth.listSessions({}, as({ tokens }))).sessions).toHaveLength(1);
    expect((await service.auth.listSessions({}, as(other))).sessions).toHaveLength(1);
  });

  it('lists each session once over pages, and refuses page tokens of another user', async () => {
    const { request, tokens } = await registerAccount(service);
    for (let count = 0; count < 4; count += 1) await service.auth.login(request);
    const all = (await service.auth.listSessions({}, as({ tokens }))).sessions.map(({ id }) => id);
    const list = (pageToken: string) => service.auth.listSessions({ pageSize: 2, pageToken }, as({ tokens }));
    const pages = (await readPages(list)).map(({ sessions }) => sessions.map(({ id }) => id));
    const paged = pages.flat();
    for (const page of pages) expect(page.length).toBeLessThanOrEqual(2);
    expect([all.length, paged]).toEqual([5, all]);
    const { nextPageToken } = await service.auth.listSessions({ pageSize: 1 }, as({ tokens }));
    const other = await registerAccount(service);
    for (const [token, caller] of [
      [nextPageToken, as(other)],
      ['no token', as({ tokens })],
    ] as const)
      await expect(service.auth.listSessions({ pageToken: token }, caller)).rejects.toMatchObject({
        reason: 'PAGE_TOKEN_INVALID',
      });
    expect(await invalidFields(service.auth.listSessions({ pageSize: -1 }, as({ tokens })))).toEqual(['page_size']);
  });
});

describe('RevokeSession', () => {
  it('A7: ends the refresh token at once and the access token soon', async () => {
    const { request, tokens } = await registerAccount(service);
    const other = await service.auth.login(request);
    const { sessions } = await service.auth.listSessions({}, as(other));
    const sessionId = sessions.find(({ current }) => current)?.id ?? '';
    expect(await service.auth.revokeSession({ sessionId }, as({ tokens }))).toEqual({});
    await expect(refresh(service, other)).rejects.toMatchObject(invalid);
    // The token would not expire for ten minutes.
    const { error } = await untilRefused(() => service.auth.listSessions({}, as(other)));
    expect(error).toMatchObject(tokenInvalid);
    expect((await service.auth.listSessions({}, as({ tokens }))).sessions).toHaveLength(1);
  });

  it("A8: answers NOT_FOUND for another user's session, as for an unknown one, and does not end it", async () => {
    const owner = await registerAccount(service);
    const stranger = await registerAccount(service);
    const [session] = (await service.auth.listSessions({}, as(owner))).sessions;
    for (const sessionId of [session?.id ?? '', '00000000-0000-4000-8000-000000000000']) {
      expect(await kindAndReason(service.auth.revokeSession({ sessionId }, as(stranger)))).toBe(
        'not_found/SESSION_NOT_FOUND',
      );
    }
    await refresh(service, owner);
  });

  it('succeeds when it is repeated, and refuses an invalid id', async () => {
    const { request, tokens } = await registerAccount(service);
    const [{ id: sessionId } = { id: '' }] = (
      await service.auth.listSessions({}, as(await service.auth.login(request)))
    ).sessions;
    await service.auth.revokeSession({ sessionId }, as({ tokens }));
    await service.auth.revokeSession({ sessionId: sessionId.toUpperCase() }, as({ tokens }));
    expect(await invalidFields(service.auth.revokeSession({ sessionId: 'all' }, as({ tokens })))).toEqual([
      'session_id',
    ]);
  });
});

describe('RevokeOtherSessions', () => {
  it('A8: ends all sessions but the current one, and returns how many', async () => {
    const { request, tokens } = await registerAccount(service);
    const others = await Promise.all(Array.from({ length: 3 }, () => service.auth.login(request)));
    expect(await service.auth.revokeOtherSessions({}, as({ tokens }))).toEqual({ revokedCount: 3 });
    expect(await service.auth.revokeOtherSessions({}, as({ tokens }))).toEqual({ revokedCount: 0 });
    for (const other of others) {
      await expect(refresh(service, other)).rejects.toMatchObject(invalid);
      expect((await untilRefused(() => service.auth.listSessions({}, as(other)))).error).toMatchObject(tokenInvalid);
    }
    await refresh(service, { tokens });
  });

  it('refuses a session that has just ended', async () => {
    const { request, tokens } = await registerAccount(service);
    const other = await service.auth.login(request);
    await service.auth.logout({ refreshToken: other.tokens?.refreshToken ?? '' });
    await expect(service.auth.revokeOtherSessions({}, as(other))).rejects.toMatchObject(tokenInvalid);
    await refresh(service, { tokens });
  });

  it('lets one of two sessions through that call it at once', async () => {
    const { request, tokens } = await registerAccount(service);
    const other = await service.auth.login(request);
    const results = await Promise.allSettled([
      service.auth.revokeOtherSessions({}, as({ tokens })),
      service.auth.revokeOtherSessions({}, as(other)),
    ]);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  });
});
