import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { startTcpProxy, testRedisUrl } from '#dev/cluster';
import { waitUntil } from '../../dev/cluster/src/wait-until.ts';
import { stopAfterEach } from '../../dev/testing/src/stop-after-each.ts';
import type { LimitedCall } from '../src/index.ts';
import { callOf, flood, lessPatientMs, openTestLimits, type TestLimits, type TestLimitsOptions } from './open.ts';

const afterTest = stopAfterEach();

async function open(options: Partial<TestLimitsOptions> = {}): Promise<TestLimits> {
  const limits = await openTestLimits({ url: testRedisUrl(), ...options });
  afterTest(limits.close);
  return limits;
}

const go = async (): Promise<void> => undefined;
const pass = ({ limits }: TestLimits, call: LimitedCall): Promise<void> => limits.interceptor(call, go);

async function untilItPasses(limits: TestLimits, call: LimitedCall): Promise<void> {
  while (
    await pass(limits, call).then(
      () => false,
      () => true,
    )
  )
    await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('a rate limit', () => {
  it('lets exactly as many calls pass as it says, over all replicas together', async () => {
    const prefix = `test-${randomUUID()}`;
    const replicas = [await open({ prefix }), await open({ prefix }), await open({ prefix })];
    const { passed, refusals } = await flood(300, (index) =>
      pass(replicas[index % 3] as TestLimits, callOf({ requests: 100 })),
    );
    expect(passed).toBe(100);
    expect(refusals).toHaveLength(200);
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({
        kind: 'resource_exhausted',
        reason: 'RATE_LIMITED',
        details: {
          retryAfterMs: expect.any(Number),
          quota: [{ subject: 'peer:203.0.113.1', description: '100 per 60 s for shop.v1.Shop/Buy' }],
        },
      });
    }
  });

  it('says when the next call is allowed, and allows it then', async () => {
    const limits = await open();
    const call = callOf({ requests: 1, perMs: 1000 });
    const ask = () =>
      pass(limits, call).then(
        () => 0,
        (error: { details: { retryAfterMs: number } }) => error.details.retryAfterMs,
      );
    await pass(limits, call);
    // On a busy machine the second may be so late that it is allowed.
    const retryAfterMs = await waitUntil(ask, (waitMs) => waitMs !== 0);
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(1000);
    await new Promise((resolve) => setTimeout(resolve, retryAfterMs + 5));
    await pass(limits, call);
  });

  it('counts users, peers and methods apart, and the addresses of one IPv6 network together', async () => {
    const limits = await open();
    const one = { requests: 1 };
    await pass(limits, callOf(one, { userId: 'ada' }));
    await pass(limits, callOf(one, { userId: 'grace' }));
    await pass(limits, callOf(one, { peer: '2001:db8::1' }));
    await pass(limits, callOf({ ...one, path: '/shop.v1.Shop/Sell' }, { peer: '2001:db8::1' }));
    await pass(limits, callOf(one, { peer: '2001:db8:0:1::1' }));
    await expect(pass(limits, callOf(one, { peer: '2001:db8::ffff:2' }))).rejects.toMatchObject({
      details: { quota: [{ subject: 'peer:2001:db8:0:0::/64' }] },
    });
    await expect(pass(limits, callOf(one, { userId: 'ada', peer: '198.51.100.7' }))).rejects.toMatchObject({
      details: { quota: [{ subject: 'user:ada' }] },
    });
  });

  it('can be replaced by the operator', async () => {
    const limits = await open({ overrides: { 'shop.v1.Shop/Buy': { requests: 2, perSeconds: 60 }, '*': 'unlimited' } });
    expect((await flood(10, () => pass(limits, callOf({ requests: 5 })))).passed).toBe(2);
    expect((await flood(10, () => pass(limits, callOf({ requests: 5, path: '/shop.v1.Shop/Sell' })))).passed).toBe(10);
  });
});

describe('a rate limit whose Redis is out of reach', () => {
  const open1 = callOf({ requests: 5, path: '/shop.v1.Shop/Open' });
  const closed = callOf({ requests: 5, path: '/shop.v1.Shop/Closed', failClosed: true });
  const unavailable = {
    kind: 'unavailable',
    reason: 'LIMITS_UNAVAILABLE',
    details: { retryAfterMs: expect.any(Number) },
  };

  it.each(['cut', 'freeze'] as const)(
    'does not wait for it after a %s: this process goes on counting, or the method refuses; and both recover',
    async (loss) => {
      const proxy = await startTcpProxy(testRedisUrl());
      afterTest(proxy.close);
      const limits = await open({ url: proxy.url, timeoutMs: lessPatientMs });
      await pass(limits, open1);
      await pass(limits, closed);
      await proxy[loss]();
      for (let index = 0; index < 5; index += 1) {
        await pass(limits, open1);
        await expect(pass(limits, closed)).rejects.toMatchObject(unavailable);
      }
      await expect(pass(limits, open1)).rejects.toMatchObject({ reason: 'RATE_LIMITED' });
      // Only the first of these eleven calls have asked it at all, and it has answered none.
      expect(proxy.unheard()).toBeLessThan(11);
      const text = await limits.metrics.registry.metrics();
      expect(text).toMatch(
        /taskflow_limits_store_failures_total\{method="\/shop.v1.Shop\/Open",decision="open",service="test"\} 6/,
      );
      expect(text).toMatch(
        /taskflow_limits_store_failures_total\{method="\/shop.v1.Shop\/Closed",decision="closed",service="test"\} 5/,
      );
      await proxy.restore();
      await untilItPasses(limits, closed);
      await pass(limits, open1);
    },
  );

  it('does not prevent the start', async () => {
    const proxy = await startTcpProxy(testRedisUrl());
    afterTest(proxy.close);
    await proxy.cut();
    const limits = await open({ url: proxy.url });
    await pass(limits, open1);
    await expect(pass(limits, closed)).rejects.toMatchObject(unavailable);
  });
});
