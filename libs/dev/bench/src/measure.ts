import type { Generators } from './generators.ts';
import { mergeResults, type LoadRequest, type LoadResult } from './load.ts';
import { percentile } from './histogram.ts';
import { toRatio, type Ratio, type Results, type Row } from './results.ts';
import type { MeasuredServer } from './server-process.ts';

/** Who takes part in a comparison. */
export interface Contender {
  readonly name: string;
  readonly server: MeasuredServer;
  /** How much data it has: "100k". */
  readonly dataset: string;
}

/** Who takes part in a trial, and with which calls. */
export interface Entrant extends Contender {
  /** The method's path. */
  readonly path: string;
  /** Called before every round when requests may be sent only `once`, else once. */
  readonly requests: () => readonly LoadRequest[];
  /** For the first entrant: how many times as much as this one it may need. */
  readonly aim?: number | undefined;
  /** Instead of the trial's and the pace's. */
  readonly once?: boolean | undefined;
  readonly minCalls?: number | undefined;
}

export interface Trial {
  readonly scenario: string;
  readonly inFlight: readonly number[];
  /** The first is the one that is judged, the others are what it is compared with. */
  readonly entrants: readonly Entrant[];
  readonly once?: boolean;
  /** More is asked for than the server may be able to take: that it says so (RESOURCE_EXHAUSTED) is no failure. */
  readonly mayRefuse?: boolean;
  /** The compared figure: CPU time per call (default), the median of the calls' times, or none. */
  readonly compare?: 'cpu' | 'p50' | 'none';
}

/** How long and how often is measured. */
export interface Pace {
  readonly rounds: number;
  readonly roundMs: number;
  /** The least number of calls in a round; `warmUpRounds` times as many come before the first. */
  readonly minCalls: number;
  readonly warmUpRounds: number;
  /** The greatest number of calls in a round. */
  readonly maxCalls?: number | undefined;
}

/** What was measured of one entrant at one number of calls in flight. */
export interface Measured {
  readonly row: Row;
  /** Of each round. */
  readonly cpuMsPerCall: readonly number[];
  readonly p50Ms: readonly number[];
}

/** Milliseconds of CPU by part. */
type Parts = Readonly<Record<string, number>>;

interface Round {
  result: LoadResult;
  cpuMsPerCall: number;
  partsMs: Parts;
}

/** The number of calls in flight at which servers are warmed up. */
const warmUpInFlight = 16;

/**
 * Measures all entrants in turn, round after round (A B C A B C …), so that what disturbs the machine disturbs all of them,
 * and adds a row for each and the ratios of the first to the others. Resolves to what was measured, by number in flight and
 * then in the order of the entrants.
 */
export async function measure(
  trial: Trial,
  pace: Pace,
  generators: Generators,
  results: Results,
): Promise<Measured[][]> {
  const { entrants } = trial;
  const isOnce = ({ once = trial.once ?? false }: Entrant): boolean => once;
  const reused = new Map(entrants.filter((one) => !isOnce(one)).map((one) => [one, one.requests()]));
  const load = async (entrant: Entrant, inFlight: number, rounds: number): Promise<Round> => {
    const { server, path, minCalls = pace.minCalls } = entrant;
    const requests = reused.get(entrant) ?? entrant.requests();
    const before = await readCpu(server);
    const result = await generators.run({
      addresses: server.addresses,
      path,
      requests,
      once: isOnce(entrant),
      inFlight,
      durationMs: rounds * pace.roundMs,
      minCalls: rounds * minCalls,
      maxCalls: pace.maxCalls,
    });
    await server.drained?.();
    const after = await readCpu(server);
    return {
      result,
      cpuMsPerCall: (after.ms - before.ms) / Math.max(1, result.calls),
      partsMs: subtract(after.parts, before.parts),
    };
  };
  const warmUpAt = Math.min(warmUpInFlight, Math.max(...trial.inFlight));
  for (const entrant of entrants) await load(entrant, warmUpAt, pace.warmUpRounds);

  const measured: Measured[][] = [];
  for (const inFlight of trial.inFlight) {
    const rounds = entrants.map((): Round[] => []);
    for (let round = 0; round < pace.rounds; round += 1) {
      for (const [index, entrant] of entrants.entries()) {
        rounds[index]?.push(await load(entrant, inFlight, 1));
      }
    }
    const ofAll = entrants.map((entrant, index) => toMeasured(trial, entrant, inFlight, rounds[index] ?? []));
    measured.push(ofAll);
    results.rows.push(...ofAll.map(({ row }) => row));
    results.ratios.push(...ratiosOf(trial, ofAll));
  }
  return measured;
}

async function readCpu(server: MeasuredServer): Promise<{ ms: number; parts: Parts }> {
  return { ms: await server.cpuMs(), parts: (await server.partsMs?.()) ?? {} };
}

const subtract = (after: Parts, before: Parts): Parts =>
  Object.fromEntries(Object.entries(after).map(([name, ms]) => [name, ms - (before[name] ?? 0)]));

function perCall(rounds: readonly Round[], calls: number): Parts {
  const sums: Record<string, number> = {};
  for (const { partsMs } of rounds)
    for (const [name, ms] of Object.entries(partsMs)) sums[name] = (sums[name] ?? 0) + ms / Math.max(1, calls);
  return sums;
}

/** The status of a server that is busy. */
const resourceExhausted = '8';

function toMeasured(
  { scenario, mayRefuse = false }: Trial,
  { name, dataset }: Entrant,
  inFlight: number,
  rounds: readonly Round[],
): Measured {
  const { calls, failures, statuses, firstFailure, latencies, cpuMs, sizeBytes } = mergeResults(
    rounds.map(({ result }) => result),
  );
  const elapsedMs = rounds.reduce((sum, { result }) => sum + result.elapsedMs, 0);
  const serverMs = rounds.reduce((sum, { result, cpuMsPerCall }) => sum + cpuMsPerCall * result.calls, 0);
  const refused = mayRefuse ? (statuses[resourceExhausted] ?? 0) : 0;
  const row: Row = {
    scenario,
    dataset,
    server: name,
    inFlight,
    calls,
    failures: failures - refused,
    refused,
    statuses,
    firstFailure,
    callsPerSecond: calls / (elapsedMs / 1000),
    p50Ms: percentile(latencies, 0.5),
    p95Ms: percentile(latencies, 0.95),
    p99Ms: percentile(latencies, 0.99),
    cpuMsPerCall: serverMs / Math.max(1, calls),
    partsMsPerCall: perCall(rounds, calls),
    sizeBytes: sizeBytes / Math.max(1, calls),
    generatorCores: cpuMs / elapsedMs,
  };
  return {
    row,
    cpuMsPerCall: rounds.map((round) => round.cpuMsPerCall),
    p50Ms: rounds.map(({ result }) => percentile(result.latencies, 0.5)),
  };
}

function ratiosOf({ scenario, entrants, compare = 'cpu' }: Trial, measured: readonly Measured[]): Ratio[] {
  if (compare === 'none') return [];
  const [judged, ...others] = measured as [Measured, ...Measured[]];
  const costOf = (one: Measured): readonly number[] => (compare === 'cpu' ? one.cpuMsPerCall : one.p50Ms);
  return others.map((other, index) => {
    const { server, dataset, inFlight } = other.row;
    const isGrowth = dataset !== judged.row.dataset;
    const about = {
      name: `${scenario}${compare === 'p50' ? ', p50' : ''} / ${server}`,
      dataset: isGrowth ? `${judged.row.dataset} / ${dataset}` : dataset,
      inFlight,
      aim: entrants[index + 1]?.aim,
    };
    return toRatio(about, costOf(judged), costOf(other));
  });
}
