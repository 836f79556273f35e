import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testPostgresUrl, testRedisUrl } from '#dev/cluster';
import { endure } from './endurance.ts';
import { startSoakCluster, type SoakCluster } from './soak-cluster.ts';

let soakCluster: SoakCluster;
beforeAll(async () => {
  soakCluster = await startSoakCluster({ postgresAdminUrl: testPostgresUrl(), redisUrl: testRedisUrl() });
});
afterAll(() => soakCluster?.stop());

describe('invariant 13: many calls, cancellations and streams', () => {
  it('leave the heap as it was (a small one of `npm run soak`, with room for what is made once)', async () => {
    const { growth, surprises, calls } = await endure(soakCluster, {
      calls: 6000,
      cancellations: 500,
      streams: 100,
      points: 6,
      report: () => undefined,
    });
    expect(surprises).toEqual([]);
    expect(calls).toBeGreaterThanOrEqual(6000);
    expect(growth).toBeLessThan(0.15);
  });
});
