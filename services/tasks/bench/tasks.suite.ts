import type { BenchContext, Suite } from '#libs/bench';
import { measureCore } from './scenarios/core.ts';
import { openWorld } from './world.ts';

const peopleOf = (smallest: number): number => (smallest >= 10_000 ? 1000 : 100);

async function run(context: BenchContext): Promise<void> {
  const { sizes = context.options.full ? [10_000, 100_000, 1_000_000] : [10_000, 100_000] } = context.options;
  const people = peopleOf(Math.min(...sizes));
  const world = await openWorld(context, { callers: Math.min(64, people), people, replicas: 1 });
  try {
    for (const size of sizes) {
      await world.grow(size);
      await measureCore(world);
    }
  } finally {
    await world.stop();
  }
}

export const suite: Suite = { run };
