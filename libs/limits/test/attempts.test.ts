import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { startTcpProxy, testRedisUrl } from '#dev/cluster';
import { Redis } from 'ioredis';
import { stopAfterEach } from '../../dev/testing/src/stop-after-each.ts';
import type { Attempts, AttemptsOptions, LimitDecision } from '../src/index.ts';
import { lessPatientMs, openTestLimits, type TestLimitsOptions } from './open.ts';

const afterTest = stopAfterEach();

async function open(
  changes: Partial<AttemptsOptions> = {},
  options: Partial<TestLimitsOptions> = {},
): Promise<Attempts> {
  const test = await openTestLimits({ url: testRedisUrl(), ...options });
  afterTest(test.close);
  return test.limits.attempts({ name: 'password', free: 3, firstWaitMs: 200, longestWaitMs: 800, ...changes });
}

const allowedOf = (decisions: readonly LimitDecision[]): number => decisions.filter(({ allowed }) => allowed).length;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** As time does. */
async function endWait(prefix: string): Promise<void> {
  const redis = new Redis(testRedisUrl());
  const keys = await redis.keys(`${prefix}:attempts:*`);
  expect(keys).toHaveLength(1);
  for (const key of keys) await redis.hset(key, 'next', 0);
  redis.disconnect();
}

async function takeAll(attempts: Attempts, key: string, count: number): Promise<LimitDecision[]> {
  const decisions: LimitDecision[] = [];
  for (let taken = 0; taken < count; taken += 1) decisions.push(await attempts.take(key));
  return decisions;
}

describe('attempts at a secret', () => {
  it('are no more in parallel, over several replicas, than one after another', async () => {
    const prefix = `test-${randomUUID()}`;
    const waits = { firstWaitMs: 60_000, longestWaitMs: 60_000 };
    const replicas = [await open(waits, { prefix }), await open(waits, { prefix })];
    const decisions = await Promise.all(
      Array.from({ length: 50 }, (_, index) => (replicas[index % 2] as Attempts).take('one')),
    );
    expect(allowedOf(decisions)).toBe(3);
    expect((await replicas[0]?.take('another'))?.allowed).toBe(true);
  });

  it('double the wait up to the longest, and an early attempt does not prolong it', async () => {
    const prefix = `test-${randomUUID()}`;
    const attempts = await open({ firstWaitMs: 60_000, longestWaitMs: 240_000 }, { prefix });
    expect(allowedOf(await takeAll(attempts, 'key', 3))).toBe(3);
    for (const waitMs of [60_000, 120_000, 240_000, 240_000]) {
      const [refused, again] = await takeAll(attempts, 'key', 2);
      expect(refused).toEqual({ allowed: false, retryAfterMs: expect.any(Number) });
      expect(refused?.retryAfterMs).toBeGreaterThan(waitMs / 2);
      expect(refused?.retryAfterMs).toBeLessThanOrEqual(waitMs);
      expect(again?.retryAfterMs).toBeLessThanOrEqual(refused?.retryAfterMs ?? 0);
      await endWait(prefix);
      expect((await attempts.take('key')).allowed).toBe(true);
    }
  });

  it('are allowed again when the returned wait is over', async () => {
    const attempts = await open();
    const [refused] = (await takeAll(attempts, 'key', 9)).filter(({ allowed }) => !allowed);
    await pause((refused?.retryAfterMs ?? 0) + 5);
    expect((await attempts.take('key')).allowed).toBe(true);
  });

  it('are forgotten after the right one', async () => {
    const attempts = await open({ firstWaitMs: 60_000, longestWaitMs: 60_000 });
    await takeAll(attempts, 'key', 3);
    await attempts.forget('key');
    expect(allowedOf(await takeAll(attempts, 'key', 9))).toBe(3);
  });

  it('do not count when they were given back', async () => {
    const attempts = await open({ firstWaitMs: 60_000, longestWaitMs: 60_000 });
    for (let round = 0; round < 9; round += 1) {
      expect((await attempts.take('key')).allowed).toBe(true);
      await attempts.giveBack('key');
    }
    expect(allowedOf(await takeAll(attempts, 'key', 9))).toBe(3);
  });

  it.each(['cut', 'freeze'] as const)(
    'are counted by this process alone after a %s of Redis, and by Redis again later',
    async (loss) => {
      const proxy = await startTcpProxy(testRedisUrl());
      afterTest(proxy.close);
      const attempts = await open({}, { url: proxy.url, timeoutMs: lessPatientMs });
      await proxy[loss]();
      expect(allowedOf(await takeAll(attempts, 'key', 9))).toBe(3);
      await attempts.forget('key');
      expect(allowedOf(await takeAll(attempts, 'key', 9))).toBe(3);
      await proxy.restore();
      let decision = await attempts.take('key');
      while (!decision.allowed) {
        await pause(20);
        decision = await attempts.take('key');
      }
      expect(decision.allowed).toBe(true);
    },
  );
});
