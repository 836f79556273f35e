import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { runRound } from './round.ts';
import { startStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage(() => undefined);
});
afterAll(() => stage?.stop());

/** Two faults that come and go by themselves, one that kills, one that restarts; `npm run drill` has all of them. */
it('invariant 1: a short drill loses nothing that was acknowledged, and nothing happens twice', async () => {
  const { violations, verdict, faults } = await runRound(stage, {
    seed: '7',
    workers: 3,
    calmMs: 500,
    faults: 4,
    holdMs: 500,
    kinds: ['kill', 'redis-empty', 'postgres-restart', 'refused-callee'],
    patienceMs: 60_000,
    report: () => undefined,
  });
  expect(violations).toEqual([]);
  expect(verdict).toMatchObject({ lost: 0, duplicated: 0 });
  expect(verdict.acknowledged).toBeGreaterThan(0);
  expect(faults).toHaveLength(4);
}, 600_000);
