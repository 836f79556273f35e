import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startTcpProxy, testRedisUrl } from '#libs/devcluster';
import { Redis } from 'ioredis';
import type { Attempts, AttemptsOptions, Verdict } from '../src/index.ts';
import { lessPatientMs, openTestLimits, type TestLimitsOptions } from './open.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function open(changes: Partial<AttemptsOptions> = {}, options: Partial<TestLimitsOptions> = {}): Promise<Attempts> {
  const test = await openTestLimits({ url: testRedisUrl(), ...options });
  opened.push(test);
  return test.limits.attempts({ name: 'password', free: 3, firstWaitMs: 200, longestWaitMs: 800, ...changes });
}

const allowedOf = (verdicts: readonly Verdict[]): number => verdicts.filter(({ allowed }) => allowed).length;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** As time does. */
async function endWait(prefix: string): Promise<void> {
  const redis = new Redis(testRedisUrl());
  const keys = await redis.keys(`${prefix}:attempts:*`);
  expect(keys).toHaveLength(1);
  for (const key of keys) await redis.hset(key, 'next', 0);
  redis.disconnect();
}

async function takeAll(attempts: Attempts, key: string, count: number): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (let taken = 0; taken < count; taken += 1) verdicts.push(await attempts.take(key));
  return verdicts;
}

describe('attempts at a secret', () => {
  it('are as few in parallel, over several replicas, as one after another', async () => {
    const prefix = `test-${randomUUID()}`;
    const waits = { firstWaitMs: 60_000, longestWaitMs: 60_000 };
    const replicas = [await open(waits, { prefix }), await open(waits, { prefix })];
    const verdicts = await Promise.all(Array.from({ length: 50 }, (_, index) => (replicas[index % 2] as Attempts).take('one')));
    expect(allowedOf(verdicts)).toBe(3);
    expect((await replicas[0]?.take('another'))?.allowed).toBe(true);
  });

  it('wait twice as long after each, up to the longest wait, and asking too early does not make it longer', async () => {
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

  it('are allowed again when the wait is over that was told', async () => {
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

  it.each(['cut', 'freeze'] as const)('are counted by this process alone after a %s of Redis, and by Redis again later', async (loss) => {
    const proxy = await startTcpProxy(testRedisUrl());
    opened.push(proxy);
    const attempts = await open({}, { url: proxy.url, timeoutMs: lessPatientMs });
    await proxy[loss]();
    expect(allowedOf(await takeAll(attempts, 'key', 9))).toBe(3);
    await attempts.forget('key');
    expect(allowedOf(await takeAll(attempts, 'key', 9))).toBe(3);
    await proxy.restore();
    let verdict = await attempts.take('key');
    while (!verdict.allowed) {
      await pause(20);
      verdict = await attempts.take('key');
    }
    expect(verdict.allowed).toBe(true);
  });
});
