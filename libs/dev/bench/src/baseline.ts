import type { Ratio } from './results.ts';

/** A ratio that got worse than this many times what it was. */
const tolerated = 1.2;

const keyOf = ({ name, dataset, inFlight }: Ratio): string => `${name}, ${dataset} tasks, ${inFlight} in flight`;

/** One line for each ratio that both runs have and that is more than 20 % worse now. */
export function findRegressions(now: readonly Ratio[], before: readonly Ratio[]): string[] {
  const earlier = new Map(before.map((ratio) => [keyOf(ratio), ratio.value]));
  return now.flatMap((ratio) => {
    const was = earlier.get(keyOf(ratio));
    if (was === undefined || ratio.value <= was * tolerated) return [];
    return [`${keyOf(ratio)}: ${ratio.value.toFixed(2)} instead of ${was.toFixed(2)}`];
  });
}
