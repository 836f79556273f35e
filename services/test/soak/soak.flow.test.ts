import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testPostgresUrl, testRedisUrl } from '#libs/devcluster';
import { endure } from './endurance.ts';
import { startGround, type Ground } from './ground.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await startGround({ postgresAdminUrl: testPostgresUrl(), redisUrl: testRedisUrl() });
});
afterAll(() => ground?.stop());

describe('invariant 13: many calls, cancellations and streams', () => {
  it('leave the heap as it was (a small one of `npm run soak`, with room for what is made once)', async () => {
    const { growth, surprises, calls } = await endure(ground, { calls: 6000, cancellations: 500, streams: 100, points: 6, report: () => undefined });
    expect(surprises).toEqual([]);
    expect(calls).toBeGreaterThanOrEqual(6000);
    expect(growth).toBeLessThan(0.15);
  });
});
