import { parseArgs } from 'node:util';
import { faultKinds, type FaultKind } from './plan.ts';

export interface DrillOptions {
  /** The seed of the first round; the next ones are numbered from it. */
  readonly seed: number;
  readonly rounds: number;
  readonly workers: number;
  readonly calmMs: number;
  readonly faults: number;
  readonly holdMs: number;
  readonly patienceMs: number;
  readonly kinds: readonly FaultKind[];
  readonly withUndisturbed: boolean;
  /** Where the figures are written as JSON. */
  readonly json: string | undefined;
}

export const usage = `npm run drill -- [options]
  --seed <number>       replays what this seed gave (default: made up, and printed)
  --rounds <number>     that many seeds one after the other (1)
  --faults <number>     faults of a round (${faultKinds.length}: each kind once)
  --kinds <a,b>         only these kinds: ${faultKinds.join(', ')}
  --hold <seconds>      about how long a fault lasts (4)
  --calm <seconds>      work before the first and after the last fault (5)
  --workers <number>    clients at work (6)
  --patience <seconds>  how long after a fault everything has to work again (60)
  --no-undisturbed      without the run beside which nothing is done to the cluster
  --json <file>         writes the figures there`;

function count(text: string, name: string, least = 1): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least) throw new Error(`--${name} must be a whole number of at least ${least}`);
  return number;
}

function toKinds(text: string | undefined): readonly FaultKind[] {
  if (text === undefined) return faultKinds;
  return text.split(',').map((name) => {
    const kind = faultKinds.find((known) => known === name);
    if (kind === undefined) throw new Error(`--kinds knows no ${name}: ${faultKinds.join(', ')}`);
    return kind;
  });
}

/** Throws with a message for the person who typed the arguments. */
export function readOptions(args: readonly string[]): DrillOptions {
  const text = (fallback?: string) => ({ type: 'string' as const, ...(fallback !== undefined && { default: fallback }) });
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
      patience: text('60'),
      undisturbed: { type: 'boolean', default: true },
      json: text(),
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error('npm run drill: causes faults and checks what the cluster promised');
  const kinds = toKinds(values.kinds);
  const asCount = (name: 'rounds' | 'hold' | 'calm' | 'workers' | 'patience'): number => count(values[name] ?? '', name);
  return {
    seed: values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : count(values.seed, 'seed', 0),
    rounds: asCount('rounds'),
    workers: asCount('workers'),
    faults: values.faults === undefined ? kinds.length : count(values.faults, 'faults', 0),
    holdMs: asCount('hold') * 1000,
    calmMs: asCount('calm') * 1000,
    patienceMs: asCount('patience') * 1000,
    kinds,
    withUndisturbed: values.undisturbed,
    json: values.json,
  };
}
