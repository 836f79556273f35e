import type { BenchContext } from '#dev/bench';
import { openBenchCluster, startCeiling, type BenchCluster, type WorldSize } from '../bench-cluster.ts';
import { countedLimits } from '../data/limits.ts';

/** Which process of the service is which: they differ in one setting each, on the same data. */
export const variants = { plain: 0, allTraces: 1, noTraces: 2, another: 3, limits: 4 } as const;

/** Starts a cluster with a process for each variant, and measures in it. */
export async function withVariants(
  context: BenchContext,
  { tasks, ...size }: Omit<WorldSize, 'replicas' | 'options'> & { tasks: number },
  measure: (bench: BenchCluster) => Promise<void>,
): Promise<void> {
  const sink = await startCeiling('trace-sink', {});
  const endpoint = { TASKFLOW_OTLP_ENDPOINT: `http://${sink.addresses[0]}` };
  const replicaEnv = {
    'tasks-2': { ...endpoint, TASKFLOW_TRACE_RATIO: '1' },
    'tasks-3': { ...endpoint, TASKFLOW_TRACE_RATIO: '0' },
    'tasks-5': { TASKFLOW_RATE_LIMITS: JSON.stringify(countedLimits) },
  };
  const replicas = Object.keys(variants).length;
  const bench = await openBenchCluster(context, { ...size, replicas, options: { replicaEnv } });
  try {
    await bench.grow(tasks);
    await measure(bench);
  } finally {
    await bench.stop();
    await sink.stop();
  }
}
