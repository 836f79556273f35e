import { parseArgs } from 'node:util';

export const stepNames = ['overload', 'abuse', 'endurance'] as const;
export type StepName = (typeof stepNames)[number];

export interface SoakOptions {
  readonly steps: readonly StepName[];
  readonly calls: number;
  readonly cancellations: number;
  readonly streams: number;
  readonly points: number;
  /** Of a measurement of the first two steps. */
  readonly durationMs: number;
  /** How much the heap may grow, as a share. */
  readonly maxGrowth: number;
  /** Where the figures are written as JSON. */
  readonly json: string | undefined;
}

export const usage = `npm run soak -- [options]
  --only <a,b>            only these steps: ${stepNames.join(', ')}
  --calls <number>        unary calls of endurance (1000000)
  --cancellations <n>     calls that are given up (10000)
  --streams <number>      streams (1000)
  --points <number>       how often the heap is looked at (20)
  --growth <percent>      how much it may grow (5)
  --seconds <number>      how long each measurement of overload and abuse lasts (10)
  --json <file>           writes the figures there`;

function count(text: string, name: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} must be a whole number of at least 1`);
  return number;
}

function toSteps(text: string | undefined): readonly StepName[] {
  if (text === undefined) return stepNames;
  return text.split(',').map((name) => {
    const step = stepNames.find((known) => known === name);
    if (step === undefined) throw new Error(`--only knows no ${name}: ${stepNames.join(', ')}`);
    return step;
  });
}

/** Throws with a message for the person who typed the arguments. */
export function readOptions(args: readonly string[]): SoakOptions {
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
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error('npm run soak: a service under more than it can take, under abuse, and for long');
  const asCount = (name: 'calls' | 'cancellations' | 'streams' | 'points' | 'growth' | 'seconds'): number => count(values[name], name);
  return {
    steps: toSteps(values.only),
    calls: asCount('calls'),
    cancellations: asCount('cancellations'),
    streams: asCount('streams'),
    points: asCount('points'),
    durationMs: asCount('seconds') * 1000,
    maxGrowth: asCount('growth') / 100,
    json: values.json,
  };
}
