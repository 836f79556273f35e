import { setTimeout as pause } from 'node:timers/promises';
import { TaskFlowError } from '#client/index';
import { createHistogram, percentile, record } from '#dev/bench';
import { isServing } from '#dev/cluster';
import type { SoakCluster } from './soak-cluster.ts';

/** What somebody noticed who used the service like on any other day. */
export interface Impression {
  readonly calls: number;
  /** Of calls that succeeded. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Code and reason, and how often. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Refusals that do not say when to come back, and any other failure. */
  readonly surprises: readonly string[];
  readonly healthP99Ms: number;
}

/** Longer than any machine is busy; how quickly the health answers is measured. */
const giveUpAfterMs = 10_000;

/** A few calls at a time with a pause between, and a look at the health beside them, until the work is done. */
export async function watchDuring(soakCluster: SoakCluster, work: Promise<unknown>): Promise<Impression> {
  const [latencies, health] = [createHistogram(), createHistogram()];
  const refusals: Record<string, number> = {};
  const surprises = new Set<string>();
  let calls = 0;
  let busy = true;
  const note = (error: unknown): void => {
    if (!(error instanceof TaskFlowError)) throw error;
    const { code, reason, retryAfterMs, message } = error;
    if (code !== 'RESOURCE_EXHAUSTED' || reason === undefined || retryAfterMs === undefined)
      return void surprises.add(message);
    const name = `${code}/${reason}`;
    refusals[name] = (refusals[name] ?? 0) + 1;
  };
  const use = async (): Promise<void> => {
    while (busy) {
      const began = performance.now();
      await soakCluster.tasks
        .getTask({ taskId: soakCluster.taskId })
        .then(() => record(latencies, performance.now() - began), note);
      calls += 1;
      await pause(5);
    }
  };
  const look = async (): Promise<void> => {
    while (busy) {
      const began = performance.now();
      if (!(await isServing(soakCluster.address, { deadlineMs: giveUpAfterMs })))
        surprises.add('health did not say SERVING');
      record(health, performance.now() - began);
      await pause(50);
    }
  };
  const watching = Promise.all([use(), use(), use(), use(), look()]);
  await work.finally(() => (busy = false));
  await watching;
  return {
    calls,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    refusals,
    surprises: [...surprises],
    healthP99Ms: percentile(health, 0.99),
  };
}
