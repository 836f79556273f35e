import { describe, expect, it } from '@jest/globals';
import { AppError } from '#libs/errors';
import { startTcpProxy, testRedisUrl } from '#dev/cluster';
import { Redis } from 'ioredis';
import { createPasswordHasher } from '../src/security/password-hasher.ts';
import { registerAccount } from './factories.ts';
import { afterTest, startForTest, type TestAuth, useAfterTest } from './start-auth.ts';
import { flood, sequence } from './start-limited.ts';

useAfterTest();

const longWaits = { passwordAttempts: { free: 5, firstWaitMs: 60_000, longestWaitMs: 60_000 } };
const wrongAt = (service: TestAuth, email: string) => (index: number) =>
  service.auth.login({ email, password: `guess ${index}` });

describe('the guard before passwords', () => {
  it('does not hash a guess that it refuses', async () => {
    const real = await createPasswordHasher();
    let checks = 0;
    const verify: typeof real.verify = (hash, password) => {
      checks += 1;
      return real.verify(hash, password);
    };
    const service = await startForTest({ overrides: { passwords: { ...real, verify } }, config: longWaits });
    const { request } = await registerAccount(service);
    await flood(50, wrongAt(service, request.email));
    expect(checks).toBe(5);
  });

  it('does not count attempts that failed for another reason than a wrong password', async () => {
    const real = await createPasswordHasher();
    const busy = new AppError('resource_exhausted', 'OVERLOADED', 'too many sign-ins at this moment', {
      details: { retryAfterMs: 1 },
    });
    const overrides = { passwords: { ...real, verify: () => Promise.reject(busy) } };
    const overloaded = await startForTest({ overrides, config: longWaits });
    const { request } = await registerAccount(overloaded);
    expect((await sequence(12, wrongAt(overloaded, request.email))).reasons).toEqual({ OVERLOADED: 12 });
    const replica = await startForTest({ replicaOf: overloaded, config: longWaits });
    expect((await sequence(6, wrongAt(replica, request.email))).reasons).toEqual({
      CREDENTIALS_INVALID: 5,
      TOO_MANY_ATTEMPTS: 1,
    });
  });

  it('stores no e-mail in Redis', async () => {
    const service = await startForTest({ config: longWaits });
    const { request } = await registerAccount(service);
    await sequence(1, wrongAt(service, request.email));
    const redis = new Redis(testRedisUrl());
    const keys = await redis.keys(`${service.config.limits.prefix}:attempts:*`);
    redis.disconnect();
    expect(keys).toHaveLength(1);
    expect(keys[0]).not.toContain('@');
  });

  it('allows sign-ins without Redis, and counts attempts per replica', async () => {
    const proxy = await startTcpProxy(testRedisUrl());
    afterTest(proxy.close);
    const first = await startForTest();
    const limits = { ...first.config.limits, redisUrl: proxy.url };
    const one = await startForTest({ replicaOf: first, config: { limits } });
    const two = await startForTest({ replicaOf: first, config: { limits } });
    const { request } = await registerAccount(one);
    await proxy.cut();
    await one.auth.login(request);
    for (const replica of [one, two]) {
      expect((await sequence(7, wrongAt(replica, request.email))).reasons).toEqual({
        CREDENTIALS_INVALID: 5,
        TOO_MANY_ATTEMPTS: 2,
      });
    }
  });
});
