import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { startTcpProxy, testRedisUrl } from '#dev/cluster';
import { stopAfterEach } from '../../dev/testing/src/stop-after-each.ts';
import type { LimitDecision, Quota } from '../src/index.ts';
import { openTestLimits, type TestLimitsOptions } from './open.ts';

const afterTest = stopAfterEach();

async function open(options: Partial<TestLimitsOptions> = {}): Promise<Quota> {
  const { limits, close } = await openTestLimits({ url: testRedisUrl(), ...options });
  afterTest(close);
  return limits.quota({ name: 'searches', points: 10, perSeconds: 600 });
}

const allowedOf = (decisions: readonly LimitDecision[]): number => decisions.filter(({ allowed }) => allowed).length;

describe('a quota', () => {
  it('is the same for parallel work on several replicas as for one after another, and each key has its own', async () => {
    const prefix = `test-${randomUUID()}`;
    const replicas = [await open({ prefix }), await open({ prefix })];
    const taken = Array.from({ length: 40 }, (_, index) => (replicas[index % 2] as Quota).take('one', 1));
    expect(allowedOf(await Promise.all(taken))).toBe(10);
    expect(await replicas[0]?.take('another', 10)).toMatchObject({ allowed: true });
  });

  it('gives all points or none, and says when to come back', async () => {
    const quota = await open();
    expect(await quota.take('key', 8)).toMatchObject({ allowed: true });
    const refused = await quota.take('key', 3);
    expect(refused.allowed).toBe(false);
    expect(refused.retryAfterMs).toBeGreaterThan(300_000);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(600_000);
    expect(await quota.take('key', 2)).toMatchObject({ allowed: true });
    expect(await quota.take('key', 1)).toMatchObject({ allowed: false });
  });

  it('has the points again that were given back', async () => {
    const quota = await open();
    await quota.take('key', 10);
    await quota.giveBack('key', 4);
    await quota.giveBack('key', 0);
    expect(await quota.take('key', 5)).toMatchObject({ allowed: false });
    expect(await quota.take('key', 4)).toMatchObject({ allowed: true });
  });

  it('is counted by the process alone while Redis is away', async () => {
    const proxy = await startTcpProxy(testRedisUrl());
    afterTest(proxy.close);
    const quota = await open({ url: proxy.url });
    await proxy.cut();
    expect(await quota.take('key', 10)).toMatchObject({ allowed: true });
    expect(await quota.take('key', 1)).toMatchObject({ allowed: false });
    await quota.giveBack('key', 1);
    expect(await quota.take('key', 1)).toMatchObject({ allowed: true });
  });
});
