import { parseArgs } from 'node:util';
import { readChoices, readCount } from '#dev/cluster';
import { faultKinds } from './plan.ts';

export type DrillOptions = ReturnType<typeof readOptions>;

/** A client writes about so often in a second. */
const leastWritesEach = 10;

/** Throws UsageError. */
export function readOptions(args: readonly string[]) {
  const text = (fallback?: string) => ({
    type: 'string' as const,
    ...(fallback !== undefined && { default: fallback }),
  });
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      seed: text(),
      rounds: text('1'),
      faults: text(),
      kinds: text(),
      hold: text('4'),
      calm: text('5'),
      workers: text('6'),
      recovery: text('60'),
      least: text(),
      undisturbed: { type: 'boolean', default: true },
      json: text(),
    },
  });
  const kinds = readChoices('kinds', values.kinds, faultKinds);
  const asCount = (name: 'rounds' | 'hold' | 'calm' | 'workers' | 'recovery'): number =>
    readCount(name, values[name] ?? '');
  return {
    /** The seed of the first round; the next ones are numbered from it. */
    seed:
      values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : readCount('seed', values.seed, { least: 0 }),
    rounds: asCount('rounds'),
    workers: asCount('workers'),
    faults: values.faults === undefined ? kinds.length : readCount('faults', values.faults, { least: 0 }),
    holdMs: asCount('hold') * 1000,
    calmMs: asCount('calm') * 1000,
    giveUpAfterMs: asCount('recovery') * 1000,
    leastWrites: values.least === undefined ? leastWritesEach * asCount('workers') : readCount('least', values.least),
    kinds,
    withUndisturbed: values.undisturbed,
    /** Where the figures are written. */
    json: values.json,
  };
}
