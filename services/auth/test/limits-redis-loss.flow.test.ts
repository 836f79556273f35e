import { afterAll, describe, expect, it } from '@jest/globals';
import { startTcpProxy, testRedisUrl } from '#dev/cluster';
import type { CallError } from '#dev/stubs';
import { registration } from './factories.ts';
import { flood, from, newPeer, sequence, startLimitedAuth } from './start-limited.ts';

const overrides = { 'taskflow.auth.v1.AuthService/ListSessions': { requests: 10, perSeconds: 3600 } };

const redis = await startTcpProxy(testRedisUrl());
const service = await startLimitedAuth({
  // Long for a frozen Redis, so that a machine that is busy with other tests does not look like one.
  TASKFLOW_LIMITS_TIMEOUT_MS: '1000',
  TASKFLOW_LIMITS_REDIS_URL: redis.url,
  TASKFLOW_RATE_LIMITS: JSON.stringify(overrides),
});
afterAll(async () => {
  await service.stop();
  await redis.close();
});

type Caller = { token: string };

async function signUp(): Promise<Caller> {
  const { tokens } = await service.auth(0).register(registration(), from(newPeer()));
  return { token: tokens?.accessToken ?? '' };
}

const listSessions = (caller: Caller) => (index: number) => service.auth(index).listSessions({}, caller);
const changePassword = (caller: Caller, index: number): Promise<unknown> =>
  service.auth(index).changePassword({ currentPassword: 'x', newPassword: 'long enough to pass' }, caller);

/** The first answer of a replica that has its limits again. */
async function answerOnceBack(caller: Caller, index: number): Promise<string | undefined> {
  for (;;) {
    const reason = await changePassword(caller, index).then(
      () => 'OK',
      (error: CallError) => error.reason,
    );
    if (reason !== 'LIMITS_UNAVAILABLE') return reason;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('rate limits, with their Redis gone', () => {
  it.each(['cut', 'freeze'] as const)(
    'F12: after a %s a method goes on or refuses as the contract says, and both recover',
    async (loss) => {
      const caller = await signUp();
      await redis[loss]();
      for (const index of [0, 1]) {
        await listSessions(caller)(index);
        await expect(changePassword(caller, index)).rejects.toMatchObject({
          kind: 'unavailable',
          reason: 'LIMITS_UNAVAILABLE',
          details: { retryAfterMs: expect.any(Number) },
        });
      }
      // Each replica goes on counting by itself, so nobody is without a limit.
      const { reasons } = await flood(40, listSessions(caller));
      expect(reasons).toEqual({ OK: 18, RATE_LIMITED: 22 });

      await redis.restore();
      for (const index of [0, 1]) expect(await answerOnceBack(caller, index)).toBe('PASSWORD_WRONG');
      // The proxy lives in this process: a flood would keep it from its work.
      expect((await sequence(25, listSessions(await signUp()))).reasons).toEqual({ OK: 10, RATE_LIMITED: 15 });
    },
  );
});
