import type { BenchContext, Suite } from '#dev/bench';
import { measureSweep } from './measure-sweep.ts';

/** So many overdue tasks among ten times as many. */
async function run(context: BenchContext): Promise<void> {
  const { sizes = context.options.full ? [100_000, 1_000_000] : [20_000, 100_000] } = context.options;
  for (const overdue of sizes) await measureSweep(context, overdue);
}

export const suite: Suite = { run };
