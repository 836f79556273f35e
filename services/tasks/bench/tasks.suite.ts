import { availableParallelism } from 'node:os';
import type { BenchContext, Suite } from '#libs/bench';
import { measureCeilings, measureReplicas, measureStats, measureWrites } from './scenarios/core.ts';
import { checkCounts } from './scenarios/check-counts.ts';
import { measureGrowth } from './scenarios/growth.ts';
import { measureOverheads } from './scenarios/overheads.ts';
import { measureFanOut } from './scenarios/fan-out.ts';
import { openWorld, type World } from './world.ts';

/** Only so many people that everybody has tasks also in the smallest data. */
const peopleOf = (smallest: number): number => (smallest >= 10_000 ? 1000 : 100);

/** The smallest data stays beside the larger ones, in a cluster of its own, so that what grows is measured in turn as well. */
async function run(context: BenchContext): Promise<void> {
  const { sizes = context.options.full ? [10_000, 100_000, 1_000_000] : [10_000, 100_000] } = context.options;
  const [smallest = 0, ...larger] = sizes;
  const people = peopleOf(smallest);
  const size = { callers: Math.min(64, people), people };
  const small = await openWorld(context, { ...size, replicas: 1 });
  const large = larger.length === 0 ? undefined : await openWorld(context, { ...size, replicas: Math.min(2, availableParallelism()) });
  try {
    await small.grow(smallest);
    for (const target of larger) {
      await large?.grow(target);
      if (large !== undefined) await measureGrowth(large, small);
    }
    await measureAll(large ?? small);
  } finally {
    await small.stop();
    await large?.stop();
  }
}

/** Reads before writes: these add to the data. */
async function measureAll(world: World): Promise<void> {
  await checkCounts(world);
  await measureCeilings(world);
  await measureStats(world);
  await measureOverheads(world);
  await measureReplicas(world);
  await measureFanOut(world);
  await measureWrites(world);
  await checkCounts(world);
}

export const suite: Suite = { run };
