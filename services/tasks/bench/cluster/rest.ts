import { setTimeout as pause } from 'node:timers/promises';
import { toRatio, type BenchContext } from '#dev/bench';
import { serviceNames } from '#dev/cluster';
import { readMemory, type Memory, type WholeCluster } from './whole-cluster.ts';

/** Cores that the four services may use together while nobody calls. */
const mostIdleCores = 0.02;
const mostFreshMegabytes = 140;
/** A service may keep so many times the memory that it had before its first call. */
const mostKept = 1.5;

/** Lets the cluster rest without calls: the CPU time it uses meanwhile, and the memory it has at the end. */
export async function measureRest({ bench, server, freshMemory }: WholeCluster): Promise<void> {
  const { context } = bench;
  const { options, results, report, signal } = context;
  report(`rest, ${options.restMs / 1000} s`);
  const before = await server.partsMs();
  const began = performance.now();
  await pause(options.restMs, undefined, { signal });
  const after = await server.partsMs();
  const elapsedMs = performance.now() - began;
  const coresOf = (part: string): number => ((after[part] ?? 0) - (before[part] ?? 0)) / elapsedMs;
  const all = serviceNames.reduce((sum, service) => sum + coresOf(service), 0);
  results.figures.push(
    { name: 'idle: the four services', value: all, unit: 'cores', aim: { atMost: mostIdleCores } },
    ...Object.keys(after).map((part) => ({ name: `idle: ${part}`, value: coresOf(part), unit: 'cores' })),
  );
  addMemory(context, bench.service().dataset, { fresh: freshMemory, rested: readMemory(bench.cluster) });
}

const megabytes = (bytes: number): number => bytes / 1_048_576;

function addMemory(
  { results, options }: BenchContext,
  dataset: string,
  { fresh, rested }: { fresh: Memory; rested: Memory },
): void {
  const when = `${options.restMs / 1000} s after load`;
  for (const service of serviceNames) {
    const about = { name: `memory of ${service}, ${when} / fresh`, dataset, inFlight: 0, aim: mostKept };
    results.ratios.push(toRatio(about, [rested[service]], [fresh[service]]));
    results.figures.push(
      {
        name: `memory of ${service}: fresh`,
        value: megabytes(fresh[service]),
        unit: 'MB',
        aim: { atMost: mostFreshMegabytes },
      },
      { name: `memory of ${service}: ${when}`, value: megabytes(rested[service]), unit: 'MB' },
    );
  }
}
