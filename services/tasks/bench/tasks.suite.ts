import { availableParallelism } from 'node:os';
import type { BenchContext, Suite } from '#libs/bench';
import { measureCeilings, measureReplicas, measureStats, measureWrites } from './scenarios/core.ts';
import { checkCounts } from './scenarios/check-counts.ts';
import { measureCosts } from './scenarios/costs.ts';
import { growthScenarios, measureGrowth } from './scenarios/growth.ts';
import { measureOverheads } from './scenarios/overheads.ts';
import { measureTraces } from './scenarios/traces.ts';
import { measureFanOut } from './scenarios/fan-out.ts';
import { openWorld, type World, type WorldSize } from './world.ts';

/** Only so many people that everybody has tasks also in the smallest data; how many of them sign in. */
const peopleOf = (smallest: number): { people: number; callers: number } => (smallest >= 10_000 ? { people: 1000, callers: 64 } : { people: 100, callers: 16 });

async function run(context: BenchContext): Promise<void> {
  const { sizes = context.options.full ? [10_000, 100_000, 1_000_000] : [10_000, 100_000] } = context.options;
  const size = { ...peopleOf(Math.min(...sizes)), replicas: Math.min(2, availableParallelism()) };
  const world = await openWorld(context, size);
  try {
    if (sizes.length > 1 && growthScenarios.some(context.wants)) await measureSizes(world, sizes, size);
    else await world.grow(Math.max(...sizes));
    await measureAll(world);
  } finally {
    await world.stop();
  }
  await measureTraces(context, { ...peopleOf(Math.min(...sizes)), tasks: Math.min(...sizes) });
}

/** The smallest data stays beside the larger ones, in a cluster of its own, so that what grows is measured in turn as well. */
async function measureSizes(world: World, [smallest = 0, ...larger]: readonly number[], size: WorldSize): Promise<void> {
  const small = await openWorld(world.context, { ...size, replicas: 1 });
  try {
    await small.grow(smallest);
    for (const target of larger) {
      await world.grow(target);
      await measureGrowth(world, small);
    }
  } finally {
    await small.stop();
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
  await measureCosts(world);
  await checkCounts(world);
}

export const suite: Suite = { run };
