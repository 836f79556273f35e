import { afterEach, describe, expect, it } from '@jest/globals';
import { AppError } from '#libs/errors';
import { startTcpProxy, testRedisUrl } from '#libs/devcluster';
import { Redis } from 'ioredis';
import { createPasswordHasher } from '../src/security/password-hasher.ts';
import { registerAccount } from './factories.ts';
import { startAuth, type TestAuth, type TestAuthOptions } from './start-auth.ts';
import { flood, sequence } from './start-limited.ts';

const started: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of started.splice(0).reverse()) await one.stop();
});

async function start(options: TestAuthOptions = {}): Promise<TestAuth> {
  const service = await startAuth(options);
  started.push(service);
  return service;
}

const patient = { passwordAttempts: { free: 5, firstWaitMs: 60_000, longestWaitMs: 60_000 } };
const wrongAt = (service: TestAuth, email: string) => (index: number) => service.auth.login({ email, password: `guess ${index}` });

describe('the guard before passwords', () => {
  it('spends no work on a guess that it refuses', async () => {
    const real = await createPasswordHasher();
    let checks = 0;
    const verify: typeof real.verify = (hash, password) => {
      checks += 1;
      return real.verify(hash, password);
    };
    const service = await start({ overrides: { passwords: { ...real, verify } }, config: patient });
    const { request } = await registerAccount(service);
    await flood(50, wrongAt(service, request.email));
    expect(checks).toBe(5);
  });

  it('does not count what was no wrong password', async () => {
    const real = await createPasswordHasher();
    const busy = new AppError('resource_exhausted', 'OVERLOADED', 'too many sign-ins at this moment', { details: { retryAfterMs: 1 } });
    const overrides = { passwords: { ...real, verify: () => Promise.reject(busy) } };
    const overloaded = await start({ overrides, config: patient });
    const { request } = await registerAccount(overloaded);
    expect((await sequence(12, wrongAt(overloaded, request.email))).reasons).toEqual({ OVERLOADED: 12 });
    const replica = await start({ replicaOf: overloaded, config: patient });
    expect((await sequence(6, wrongAt(replica, request.email))).reasons).toEqual({ CREDENTIALS_INVALID: 5, TOO_MANY_ATTEMPTS: 1 });
  });

  it('keeps no e-mail in Redis', async () => {
    const service = await start({ config: patient });
    const { request } = await registerAccount(service);
    await sequence(1, wrongAt(service, request.email));
    const redis = new Redis(testRedisUrl());
    const keys = await redis.keys(`${service.config.limits.prefix}:attempts:*`);
    redis.disconnect();
    expect(keys).toHaveLength(1);
    expect(keys[0]).not.toContain('@');
  });

  it('without Redis lets people in, and counts for each replica alone', async () => {
    const proxy = await startTcpProxy(testRedisUrl());
    const first = await startAuth();
    const limits = { ...first.config.limits, redisUrl: proxy.url };
    const [one, two] = [await start({ replicaOf: first, config: { limits } }), await start({ replicaOf: first, config: { limits } })];
    try {
      const { request } = await registerAccount(one);
      await proxy.cut();
      await one.auth.login(request);
      for (const replica of [one, two]) {
        expect((await sequence(7, wrongAt(replica, request.email))).reasons).toEqual({ CREDENTIALS_INVALID: 5, TOO_MANY_ATTEMPTS: 2 });
      }
    } finally {
      for (const one of started.splice(0).reverse()) await one.stop();
      await first.stop();
      await proxy.close();
    }
  });
});
