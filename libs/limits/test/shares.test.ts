import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { startTcpProxy, testRedisUrl } from '#dev/cluster';
import { openStore } from '#libs/redis';
import { createLogger, createMetrics, steadyNow } from '#libs/runtime';
import { Redis } from 'ioredis';
import { createRandom } from '../../dev/testing/src/random.ts';
import { redisCommandsOf } from '../../dev/testing/src/redis-commands.ts';
import { stopAfterEach } from '../../dev/testing/src/stop-after-each.ts';
import type { LimitedCall } from '../src/index.ts';
import { createSharedPoints } from '../src/shared-points.ts';
import { createShares } from '../src/shares.ts';
import { callOf, flood, openTestLimits, type TestLimits, type TestLimitsOptions } from './open.ts';

const afterTest = stopAfterEach();

// So long that no window ends in the middle of a test.
const perMs = 3_600_000;
const requests = 3000;
const callOfUser = (userId: string): LimitedCall => callOf({ requests, perMs }, { userId });
const ada = callOfUser('ada');

async function open(options: Partial<TestLimitsOptions> = {}): Promise<TestLimits> {
  const limits = await openTestLimits({ url: testRedisUrl(), ...options });
  afterTest(limits.close);
  return limits;
}

async function openReplicas(): Promise<[TestLimits, TestLimits, TestLimits]> {
  const prefix = `test-${randomUUID()}`;
  return [await open({ prefix }), await open({ prefix }), await open({ prefix })];
}

const pass = ({ limits }: TestLimits, call: LimitedCall): Promise<void> => limits.interceptor(call, async () => {});

/** After these calls, one by one, a process holds a whole share: 1, 1 + 3, 1 + 15, and one with a hundredth. */
const callsUntilShare = 1 + 4 + 16 + 1;
const wholeShare = requests / 100;

async function callUntilShare(limits: TestLimits, call: LimitedCall): Promise<void> {
  for (let index = 0; index < callsUntilShare; index += 1) await pass(limits, call);
}

/** How many points are used up, as Redis counts. */
async function usedBy(prefix: string): Promise<number> {
  const redis = new Redis(testRedisUrl());
  const used = await redis.get(`${prefix}:rate:shop.v1.Shop/Buy:user:ada`);
  redis.disconnect();
  return Number(used);
}

describe('shares of a rate limit', () => {
  it.each(['Ada', 'Grace', 'Barbara', 'Frances'])(
    'leave the limit of three replicas within two per cent, whatever the load: %s',
    async (seed) => {
      const replicas = await openReplicas();
      const random = createRandom(seed);
      const refusing = new Set<TestLimits>();
      let passed = 0;
      while (refusing.size < replicas.length) {
        const replica = random.pick(replicas);
        const calls = random.between(1, 60);
        const outcome = await flood(calls, () => pass(replica, ada));
        passed += outcome.passed;
        if (outcome.passed === 0) refusing.add(replica);
      }
      expect(passed).toBeLessThanOrEqual(requests);
      expect(passed).toBeGreaterThanOrEqual(0.98 * requests);
    },
  );

  it('leave it so when two replicas take a whole share each and are never called again', async () => {
    const [first, second, third] = await openReplicas();
    await callUntilShare(first, ada);
    await callUntilShare(second, ada);
    const { passed } = await flood(requests, () => pass(third, ada));
    expect(passed + 2 * callsUntilShare).toBeLessThanOrEqual(requests);
    expect(passed + 2 * callsUntilShare).toBeGreaterThanOrEqual(0.98 * requests);
  });

  it('become small as the limit comes near, so that replicas that are called in turn refuse nobody before', async () => {
    const replicas = await openReplicas();
    const next = (index: number) => pass(replicas[index % replicas.length] as TestLimits, ada);
    let passed = 0;
    while ((await flood(1, () => next(passed))).passed === 1) passed += 1;
    expect(passed).toBeLessThanOrEqual(requests);
    expect(passed).toBeGreaterThanOrEqual(0.997 * requests);
  });

  it('are taken by one question at a time', async () => {
    const prefix = `test-${randomUUID()}`;
    const limits = await open({ prefix });
    await flood(1, () => pass(limits, ada));
    await flood(1, () => pass(limits, ada));
    const used = await usedBy(prefix);
    const first = flood(4, () => pass(limits, ada));
    // The first question is on its way, and no answer was read yet.
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([first, pass(limits, ada)]);
    expect((await usedBy(prefix)) - used).toBe(1 + 15 + 1);
  });

  it('let calls pass that ask nobody, but none of a method that must refuse without Redis', async () => {
    const proxy = await startTcpProxy(testRedisUrl());
    afterTest(proxy.close);
    const limits = await open({ url: proxy.url });
    const closed = callOf({ requests, perMs, failClosed: true, path: '/shop.v1.Shop/Closed' });
    await callUntilShare(limits, ada);
    await callUntilShare(limits, closed);
    proxy.freeze();
    expect((await flood(wholeShare, () => pass(limits, ada))).passed).toBe(wholeShare);
    expect(proxy.unheard()).toBe(0);
    await proxy.cut();
    await expect(pass(limits, closed)).rejects.toMatchObject({ reason: 'LIMITS_UNAVAILABLE' });
  });

  it('end with their window', async () => {
    const logger = createLogger({ service: 'test', level: 'fatal' });
    const store = openStore(testRedisUrl(), {
      purpose: 'limits',
      name: 'limits',
      logger,
      metrics: createMetrics('test'),
    });
    afterTest(store.close);
    await store.waitForFirstConnection();
    let shiftMs = 0;
    const shares = createShares({
      points: createSharedPoints(store),
      keyPrefix: `test-${randomUUID()}`,
      size: { points: requests, seconds: perMs / 1000 },
      exact: false,
      now: () => steadyNow() + shiftMs,
    });
    await shares.ask('ada');
    await shares.ask('ada');
    expect(shares.decide('ada')).toEqual({ allowed: true, retryAfterMs: 0 });
    shiftMs = perMs;
    expect(shares.decide('ada')).toBeUndefined();
  });
});

describe('questions about rate limits', () => {
  it('share a round trip when they are asked in one turn of the event loop', async () => {
    const prefix = `test-${randomUUID()}`;
    const limits = await open({ prefix });
    // Only now Redis knows the script.
    await pass(limits, callOfUser('nobody'));
    const users = Array.from({ length: 20 }, (_, index) => `user-${index % 10}`);
    const commands = await redisCommandsOf(prefix, () =>
      Promise.all([
        ...users.map((user) => pass(limits, callOfUser(user))),
        pass(limits, callOf({ requests: 5, path: '/shop.v1.Shop/Sell' })),
      ]),
    );
    expect(commands).toEqual(['evalsha']);
  });

  it('grant and refuse each call by itself', async () => {
    const limits = await open();
    const sell = callOf({ requests: 5, perMs, path: '/shop.v1.Shop/Sell' });
    const [few, many] = await Promise.all([flood(20, () => pass(limits, sell)), flood(20, () => pass(limits, ada))]);
    expect([few.passed, many.passed]).toEqual([5, 20]);
  });
});
