import { availableParallelism } from 'node:os';
import type { BenchContext, Suite } from '#dev/bench';
import { measureCeilings, measureReplicas, measureStats, measureWrites } from './scenarios/core.ts';
import { checkCounts } from './scenarios/check-counts.ts';
import { measureCosts } from './scenarios/costs.ts';
import { growthScenarios, measureGrowth } from './scenarios/growth.ts';
import { measureLimits } from './scenarios/limits.ts';
import { measureOverheads } from './scenarios/overheads.ts';
import { measureTraces } from './scenarios/traces.ts';
import { measureFanOut } from './scenarios/fan-out.ts';
import { withVariants } from './scenarios/variants.ts';
import { openBenchCluster, type BenchCluster, type WorldSize } from './bench-cluster.ts';

/** Few enough people that each has tasks even in the smallest data set; `callers` of them sign in. */
const peopleOf = (smallest: number): { people: number; callers: number } =>
  smallest >= 10_000 ? { people: 1000, callers: 64 } : { people: 100, callers: 16 };

async function run(context: BenchContext): Promise<void> {
  const { sizes = context.options.full ? [10_000, 100_000, 1_000_000] : [10_000, 100_000] } = context.options;
  const size = { ...peopleOf(Math.min(...sizes)), replicas: Math.min(2, availableParallelism()) };
  const bench = await openBenchCluster(context, size);
  try {
    if (sizes.length > 1 && growthScenarios.some(context.wants)) await measureSizes(bench, sizes, size);
    else await bench.grow(Math.max(...sizes));
    await measureAll(bench);
  } finally {
    await bench.stop();
  }
  if (!context.wants('traces') && !context.wants('limits')) return;
  const tasks = Math.min(...sizes);
  await withVariants(context, { ...peopleOf(tasks), tasks }, async (variants) => {
    await measureTraces(variants);
    await measureLimits(variants);
  });
}

/** A second cluster keeps the smallest data, so that small and large are measured in turns. */
async function measureSizes(
  bench: BenchCluster,
  [smallest = 0, ...larger]: readonly number[],
  size: WorldSize,
): Promise<void> {
  const small = await openBenchCluster(bench.context, { ...size, replicas: 1 });
  try {
    await small.grow(smallest);
    for (const target of larger) {
      await bench.grow(target);
      await measureGrowth(bench, small);
    }
  } finally {
    await small.stop();
  }
}

/** Reads come before writes, which add to the data. */
async function measureAll(bench: BenchCluster): Promise<void> {
  await checkCounts(bench);
  await measureCeilings(bench);
  await measureStats(bench);
  await measureOverheads(bench);
  await measureReplicas(bench);
  await measureFanOut(bench);
  await measureWrites(bench);
  await measureCosts(bench);
  await checkCounts(bench);
}

export const suite: Suite = { run };
