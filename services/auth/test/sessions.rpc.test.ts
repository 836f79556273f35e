import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { as, registerAccount, tokenInvalid, untilRefused } from './factories.ts';
import { startAuth, type TestAuth } from './start-auth.ts';

let service: TestAuth;
beforeAll(async () => {
  service = await startAuth();
});
afterAll(() => service?.stop());

const invalid = { kind: 'unauthenticated', reason: 'REFRESH_TOKEN_INVALID' };

describe('ListSessions', () => {
  it('A8: shows where and when each session was opened, and which one asks', async () => {
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
    };
    expect(sessions).toEqual([{ ...session, current: false }, { ...session, current: true }]);
  });

  it('puts the last used first: a refresh counts as use', async () => {
    const { request, tokens } = await registerAccount(service);
    service.clock.advance(1000);
    await service.auth.login(request);
    service.clock.advance(1000);
    const refreshed = await service.auth.refreshSession({ refreshToken: tokens.refreshToken });
    const { sessions } = await service.auth.listSessions({}, as(refreshed));
    expect(sessions.map(({ current }) => current)).toEqual([true, false]);
    expect(sessions[0]?.lastUseTime?.getTime()).toBeGreaterThan(sessions[0]?.createTime?.getTime() ?? Infinity);
  });

  it('cuts a long user agent at 200 characters', async () => {
    const { request, tokens } = await registerAccount(service);
    await service.sql(`update sessions set user_agent = 'before'`);
    await service.auth.refreshSession({ refreshToken: tokens.refreshToken }, { metadata: { 'user-agent': 'x'.repeat(300) } });
    const { sessions } = await service.auth.listSessions({}, as(await service.auth.login(request)));
    for (const { userAgent } of sessions) {
      expect(userAgent).not.toBe('before');
      expect([...userAgent].length).toBeLessThanOrEqual(200);
    }
  });

  it('shows nobody else\'s, and none that has ended', async () => {
    const other = await registerAccount(service);
    const { request, tokens } = await registerAccount(service);
    const { tokens: ended } = await service.auth.login(request);
    await service.auth.logout({ refreshToken: ended?.refreshToken ?? '' });
    expect((await service.auth.listSessions({}, as({ tokens }))).sessions).toHaveLength(1);
    expect((await service.auth.listSessions({}, as(other))).sessions).toHaveLength(1);
  });
});

describe('RevokeSession', () => {
  it('A7: ends the refresh token at once and the access token soon', async () => {
    const { request, tokens } = await registerAccount(service);
    const other = await service.auth.login(request);
    const { sessions } = await service.auth.listSessions({}, as(other));
    const sessionId = sessions.find(({ current }) => current)?.id ?? '';
    expect(await service.auth.revokeSession({ sessionId }, as({ tokens }))).toEqual({});
    await expect(service.auth.refreshSession({ refreshToken: other.tokens?.refreshToken ?? '' })).rejects.toMatchObject(invalid);
    // The token itself would be good for ten minutes.
    const { error } = await untilRefused(() => service.auth.listSessions({}, as(other)));
    expect(error).toMatchObject(tokenInvalid);
    expect((await service.auth.listSessions({}, as({ tokens }))).sessions).toHaveLength(1);
  });

  it('A8: says NOT_FOUND of somebody else\'s session, like of one that does not exist, and leaves it alone', async () => {
    const owner = await registerAccount(service);
    const stranger = await registerAccount(service);
    const [session] = (await service.auth.listSessions({}, as(owner))).sessions;
    for (const sessionId of [session?.id ?? '', '00000000-0000-4000-8000-000000000000']) {
      await expect(service.auth.revokeSession({ sessionId }, as(stranger))).rejects.toMatchObject({ kind: 'not_found', reason: 'SESSION_NOT_FOUND' });
    }
    await service.auth.refreshSession({ refreshToken: owner.tokens.refreshToken });
  });

  it('is no error when it is repeated, and names an id that is none', async () => {
    const { request, tokens } = await registerAccount(service);
    const [{ id: sessionId } = { id: '' }] = (await service.auth.listSessions({}, as(await service.auth.login(request)))).sessions;
    await service.auth.revokeSession({ sessionId }, as({ tokens }));
    await service.auth.revokeSession({ sessionId: sessionId.toUpperCase() }, as({ tokens }));
    await expect(service.auth.revokeSession({ sessionId: 'all' }, as({ tokens }))).rejects.toMatchObject({
      details: { violations: [{ field: 'session_id', description: expect.any(String) }] },
    });
  });
});

describe('RevokeOtherSessions', () => {
  it('A8: ends all but the one of the call, and says how many', async () => {
    const { request, tokens } = await registerAccount(service);
    const others = await Promise.all(Array.from({ length: 3 }, () => service.auth.login(request)));
    expect(await service.auth.revokeOtherSessions({}, as({ tokens }))).toEqual({ revokedCount: 3 });
    expect(await service.auth.revokeOtherSessions({}, as({ tokens }))).toEqual({ revokedCount: 0 });
    for (const other of others) {
      await expect(service.auth.refreshSession({ refreshToken: other.tokens?.refreshToken ?? '' })).rejects.toMatchObject(invalid);
      expect((await untilRefused(() => service.auth.listSessions({}, as(other)))).error).toMatchObject(tokenInvalid);
    }
    await service.auth.refreshSession({ refreshToken: tokens.refreshToken });
  });

  it('cannot be done with a session that has ended a moment ago', async () => {
    const { request, tokens } = await registerAccount(service);
    const other = await service.auth.login(request);
    await service.auth.logout({ refreshToken: other.tokens?.refreshToken ?? '' });
    await expect(service.auth.revokeOtherSessions({}, as(other))).rejects.toMatchObject(tokenInvalid);
    await service.auth.refreshSession({ refreshToken: tokens.refreshToken });
  });

  it('ends cleanly when two sessions do it at once', async () => {
    const { request, tokens } = await registerAccount(service);
    const other = await service.auth.login(request);
    const results = await Promise.allSettled([service.auth.revokeOtherSessions({}, as({ tokens })), service.auth.revokeOtherSessions({}, as(other))]);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  });
});
