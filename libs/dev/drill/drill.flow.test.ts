import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { runRound } from './round.ts';
import { startDrillCluster, type DrillCluster } from './drill-cluster.ts';

let drillCluster: DrillCluster;
beforeAll(async () => {
  drillCluster = await startDrillCluster(() => undefined);
});
afterAll(() => drillCluster?.stop());

/** Two faults that come and go by themselves, one that kills, one that restarts; `npm run drill` has all of them. */
it('invariant 1: a short drill loses nothing that was acknowledged, and nothing happens twice', async () => {
  const { violations, verdict, faults } = await runRound(drillCluster, {
    seed: '7',
    workers: 3,
    calmMs: 500,
    faults: 4,
    holdMs: 500,
    kinds: ['kill', 'redis-empty', 'postgres-restart', 'refused-callee'],
    giveUpAfterMs: 60_000,
    leastWrites: 30,
    report: () => undefined,
  });
  expect(violations).toEqual([]);
  expect(verdict).toMatchObject({ lost: 0, duplicated: 0 });
  expect(verdict.acknowledged).toBeGreaterThan(0);
  expect(faults).toHaveLength(4);
}, 600_000);

it('a round in which too little was acknowledged proves nothing, and says so', async () => {
  const { violations, verdict } = await runRound(drillCluster, {
    ...{ seed: '8', workers: 1, calmMs: 100, faults: 0, holdMs: 1, giveUpAfterMs: 60_000, report: () => undefined },
    leastWrites: 1_000_000,
  });
  expect(violations).toEqual([
    {
      invariant: 3,
      what: `worker -1: ${verdict.acknowledged} writes were acknowledged, where a round has to have 1000000`,
    },
  ]);
}, 240_000);
