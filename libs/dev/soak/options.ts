import { parseArgs } from 'node:util';
import { readChoices, readCount } from '#dev/cluster';

export const stepNames = ['overload', 'abuse', 'endurance'] as const;
export type StepName = (typeof stepNames)[number];

export type SoakOptions = ReturnType<typeof readOptions>;

/** Throws UsageError. */
export function readOptions(args: readonly string[]) {
  const text = (fallback: string) => ({ type: 'string' as const, default: fallback });
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      calls: text('1000000'),
      cancellations: text('10000'),
      streams: text('1000'),
      points: text('20'),
      growth: text('5'),
      seconds: text('10'),
      json: { type: 'string' },
    },
  });
  const asCount = (name: 'calls' | 'cancellations' | 'streams' | 'points' | 'growth' | 'seconds'): number =>
    readCount(name, values[name]);
  return {
    steps: readChoices('only', values.only, stepNames),
    calls: asCount('calls'),
    cancellations: asCount('cancellations'),
    streams: asCount('streams'),
    points: asCount('points'),
    /** Of a measurement of the first two steps. */
    durationMs: asCount('seconds') * 1000,
    /** How much the heap may grow, as a share. */
    maxGrowth: asCount('growth') / 100,
    /** Where the figures are written. */
    json: values.json,
  };
}
