import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '#dev/cluster';
import type { Pace } from './measure.ts';

/** What `npm run bench` was asked for. */
export interface BenchOptions {
  /** Which suite: the name of a file `services/<any>/bench/<suite>.suite.ts`. */
  readonly suite: string;
  /** Only scenarios whose name contains one of these; empty = all. */
  readonly only: readonly string[];
  /** How much data, ascending; undefined = what the suite thinks right. */
  readonly sizes: readonly number[] | undefined;
  readonly full: boolean;
  readonly pace: Pace;
  readonly generators: number;
  /** How long a cluster rests after its load, before its memory is measured again. */
  readonly restMs: number;
  /** Results of an earlier run whose ratios must not have become more than 20 % worse. */
  readonly baselineFile: string | undefined;
  readonly outFile: string | undefined;
  /** Where CPU profiles of the services go. */
  readonly profileDir: string | undefined;
}

const flags = {
  full: { type: 'boolean' },
  sizes: { type: 'string' },
  only: { type: 'string' },
  rounds: { type: 'string' },
  'round-ms': { type: 'string' },
  calls: { type: 'string' },
  generators: { type: 'string' },
  rest: { type: 'string' },
  baseline: { type: 'string' },
  out: { type: 'string' },
  profile: { type: 'string' },
} as const;

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** "10k" and "1M" are numbers too. */
export function toCount(text: string): number {
  const [, digits, unit = ''] = /^(\d+)([kM]?)$/.exec(text) ?? [];
  const count = Number(digits) * ({ k: 1000, M: 1_000_000 }[unit] ?? 1);
  if (!Number.isInteger(count) || count < 1) throw new UsageError(`${text} is not a count: 500, 10k and 1M are`);
  return count;
}

/** As short as a person would write it. */
export function countText(count: number): string {
  if (count % 1_000_000 === 0) return `${count / 1_000_000}M`;
  return count % 1000 === 0 ? `${count / 1000}k` : String(count);
}

/** Throws UsageError. Files are relative to where npm was called. */
export function readBenchOptions(args: readonly string[], cwd: string): BenchOptions {
  const { values, positionals } = parse(args);
  if (positionals.length > 1) throw new UsageError('only one suite at a time');
  const number = (text: string | undefined, fallback: number): number =>
    text === undefined ? fallback : toCount(text);
  const file = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(cwd, path));
  const list = (text: string | undefined): string[] | undefined => text?.split(',').map((part) => part.trim());
  return {
    suite: positionals[0] ?? 'tasks',
    only: list(values.only) ?? [],
    sizes: list(values.sizes)
      ?.map(toCount)
      .sort((a, b) => a - b),
    full: values.full ?? false,
    pace: {
      rounds: number(values.rounds, 3),
      roundMs: number(values['round-ms'], 700),
      minCalls: 400,
      warmUpRounds: 3,
      maxCalls: values.calls === undefined ? undefined : toCount(values.calls),
    },
    generators: number(values.generators, Math.max(1, Math.floor(availableParallelism() / 4))),
    restMs: 1000 * number(values.rest, 60),
    baselineFile: file(values.baseline),
    outFile: file(values.out),
    profileDir: file(values.profile),
  };
}

/** Whether a scenario of this name is asked for. */
export function isWanted({ only }: Pick<BenchOptions, 'only'>, scenario: string): boolean {
  return only.length === 0 || only.some((part) => scenario.toLowerCase().includes(part.toLowerCase()));
}
