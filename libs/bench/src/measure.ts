import type { Generators } from './generators.ts';
import { mergeResults, type Load, type LoadRequest, type LoadResult } from './load.ts';
import { percentile } from './histogram.ts';
import { toRatio, type Ratio, type Results, type Row } from './results.ts';
import type { MeasuredServer } from './server-process.ts';

/** Who takes part in a comparison. */
export interface Contender {
  readonly name: string;
  readonly server: MeasuredServer;
}

export interface Trial {
  readonly scenario: string;
  readonly dataset: string;
  /** The method's path. */
  readonly path: string;
  readonly inFlight: readonly number[];
  /** The first is the one that is judged, the others are its ceilings. */
  readonly contenders: readonly Contender[];
  /** Called before every round when requests may be sent only `once`, else once. */
  readonly requests: () => readonly LoadRequest[];
  readonly once?: boolean;
  /** The largest CPU time per call in multiples of a contender's. */
  readonly aims?: Readonly<Record<string, number>>;
}

/** How long and how often is measured. */
export interface Pace {
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmUpMs: number;
  /** At least so many calls in a round, and `warmUpRounds` times as many before the first. */
  readonly minCalls: number;
  /** At most so many calls in a round. */
  readonly maxCalls?: number | undefined;
}

interface Round {
  result: LoadResult;
  cpuMsPerCall: number;
}

/** The number of calls in flight at which servers are warmed up. */
const warmUpInFlight = 16;
/** Warming up takes as many calls as so many rounds. */
const warmUpRounds = 3;

/**
 * Measures all contenders in turn, round after round (A B C A B C …), so that what disturbs the machine disturbs all of
 * them, and adds a row for each and the ratios to the first one's ceilings.
 */
export async function measure(trial: Trial, pace: Pace, generators: Generators, results: Results): Promise<Row[]> {
  const { path, contenders, once = false } = trial;
  const reused = once ? undefined : trial.requests();
  const load = async ({ server }: Contender, inFlight: number, length: Pick<Load, 'durationMs' | 'minCalls'>): Promise<Round> => {
    const order: Load = { addresses: server.addresses, path, requests: reused ?? trial.requests(), once, inFlight, ...length, maxCalls: pace.maxCalls };
    const before = await server.cpuMs();
    const result = await generators.run(order);
    return { result, cpuMsPerCall: ((await server.cpuMs()) - before) / Math.max(1, result.calls) };
  };
  const warmUp = { durationMs: pace.warmUpMs, minCalls: warmUpRounds * pace.minCalls };
  for (const contender of contenders) await load(contender, Math.min(warmUpInFlight, Math.max(...trial.inFlight)), warmUp);

  const rows: Row[] = [];
  for (const inFlight of trial.inFlight) {
    const rounds = contenders.map((): Round[] => []);
    for (let round = 0; round < pace.rounds; round += 1) {
      for (const [index, contender] of contenders.entries()) rounds[index]?.push(await load(contender, inFlight, { durationMs: pace.roundMs, minCalls: pace.minCalls }));
    }
    rows.push(...contenders.map(({ name }, index) => toRow(trial, { server: name, inFlight }, rounds[index] ?? [])));
    results.ratios.push(...ratiosOf(trial, inFlight, rounds));
  }
  results.rows.push(...rows);
  return rows;
}

function toRow({ scenario, dataset }: Trial, place: { server: string; inFlight: number }, rounds: readonly Round[]): Row {
  const total = mergeResults(rounds.map(({ result }) => result));
  const elapsedMs = rounds.reduce((sum, { result }) => sum + result.elapsedMs, 0);
  const weighted = rounds.reduce((sum, { result, cpuMsPerCall }) => sum + cpuMsPerCall * result.calls, 0);
  const { calls, failures, statuses, firstFailure, latencies } = total;
  return {
    scenario,
    dataset,
    ...place,
    calls,
    failures,
    statuses,
    firstFailure,
    callsPerSecond: calls / (elapsedMs / 1000),
    p50Ms: percentile(latencies, 0.5),
    p95Ms: percentile(latencies, 0.95),
    p99Ms: percentile(latencies, 0.99),
    cpuMsPerCall: weighted / Math.max(1, calls),
    sizeBytes: total.sizeBytes / Math.max(1, calls),
    generatorCores: total.cpuMs / elapsedMs,
  };
}

function ratiosOf({ scenario, dataset, contenders, aims = {} }: Trial, inFlight: number, rounds: readonly Round[][]): Ratio[] {
  const costs = rounds.map((own) => own.map(({ cpuMsPerCall }) => cpuMsPerCall));
  const [judged = [], ...ceilings] = costs;
  return ceilings.map((ceiling, index) => {
    const name = contenders[index + 1]?.name ?? '';
    return toRatio({ name: `${scenario} / ${name}`, dataset, inFlight, aim: aims[name] }, judged, ceiling);
  });
}
