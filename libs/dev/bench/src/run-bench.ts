import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname } from 'node:path';
import {
  startCluster,
  startInfrastructure,
  type Cluster,
  type ClusterOptions,
  type Infrastructure,
} from '#dev/cluster';
import { findRegressions } from './baseline.ts';
import { startGenerators } from './generators.ts';
import { isWanted, type BenchOptions } from './options.ts';
import { countFailures, createResults, type Ratio, type Results } from './results.ts';
import { loadSuite, type Suite } from './suite.ts';
import { printResults } from './table.ts';

export interface BenchRun {
  readonly options: BenchOptions;
  /** Left out: the one that the options name. */
  readonly suite?: Suite;
  /** Where the results go when no file was named. */
  readonly defaultOutFile: string;
  readonly report: (line: string) => void;
  readonly print: (text: string) => void;
  readonly signal: AbortSignal;
  /** Servers to use instead of private ones. */
  readonly postgresUrl?: string | undefined;
  readonly redisUrl?: string | undefined;
}

export const exitCodes = { fine: 0, failed: 1, worse: 2, usage: 64 } as const;

/** Runs a suite from the start of its servers to their end, prints and writes what it found, and resolves to the exit code. */
export async function runBench(run: BenchRun): Promise<number> {
  const suite = run.suite ?? (await loadSuite(run.options.suite));
  const before = readBaseline(run.options.baselineFile);
  const startedAt = new Date();
  const loadBefore = loadavg();
  const results = await runSuite(suite, run);
  run.print(`\n${printResults(results)}\n`);
  writeResults(run, {
    suite: run.options.suite,
    startTime: startedAt,
    endTime: new Date(),
    machine: { cores: cpus().length, model: cpus()[0]?.model, loadBefore, loadAfter: loadavg(), node: process.version },
    ...results,
  });
  return judge(run, results, before);
}

async function runSuite(suite: Suite, { options, report, signal, postgresUrl, redisUrl }: BenchRun): Promise<Results> {
  const results = createResults();
  const infrastructure = await startInfrastructure({ durable: true, report, postgresUrl, redisUrl });
  const clusters: Cluster[] = [];
  const generators = await startGenerators(options.generators);
  try {
    await suite.run({
      options,
      results,
      generators,
      infrastructure,
      report,
      signal,
      wants: (scenario) => isWanted(options, scenario),
      startCluster: async (asked) => {
        const { env, ...shared } = productionLike(options, infrastructure);
        const cluster = await startCluster({ ...shared, signal, report, ...asked, env: { ...env, ...asked.env } });
        clusters.push(cluster);
        return cluster;
      },
    });
    return results;
  } finally {
    await generators.stop();
    for (const cluster of clusters) await cluster.stop();
    await infrastructure.stop();
  }
}

/** Limits are off, because one machine makes the calls of a thousand; what counting them costs is a scenario of its own. */
function productionLike(
  { profileDir }: BenchOptions,
  { postgresAdminUrl, redisUrl, guard }: Infrastructure,
): ClusterOptions {
  const profiling: Record<string, string> =
    profileDir === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileDir}` };
  return {
    postgresAdminUrl,
    redisUrl,
    guard,
    ports: 'free',
    env: { TASKFLOW_ENV: 'production', TASKFLOW_RATE_LIMITS: '{"*":"unlimited"}', ...profiling },
  };
}

function readBaseline(file: string | undefined): readonly Ratio[] {
  return file === undefined ? [] : (JSON.parse(readFileSync(file, 'utf8')) as { ratios: Ratio[] }).ratios;
}

function writeResults({ options, defaultOutFile, report }: BenchRun, content: object): void {
  const file = options.outFile ?? defaultOutFile;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(content, undefined, 2)}\n`);
  report(`results: ${file}`);
}

function judge({ report }: BenchRun, results: Results, before: readonly Ratio[]): number {
  const failures = countFailures(results);
  if (failures > 0) report(`FAILED: ${failures} calls or checks`);
  const regressions = findRegressions(results.ratios, before);
  for (const line of regressions) report(`worse than the baseline: ${line}`);
  if (failures > 0) return exitCodes.failed;
  return regressions.length > 0 ? exitCodes.worse : exitCodes.fine;
}
