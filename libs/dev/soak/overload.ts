import { status } from '@grpc/grpc-js';
import { ListTasksRequest, TasksServiceService } from '#contract/tasks/v1/tasks';
import { readCpuMs, type LoadResult, type WorkerProcess } from '#dev/bench';
import { watchDuring, type Impression } from './baseline-client.ts';
import type { SoakCluster } from './soak-cluster.ts';
import type { GeneratorCost, Offer, Offered, Outcomes } from './offered.ts';

export interface Overload {
  /** Calls a second that the service answers when no more are asked for than it can do. */
  readonly peakPerSecond: number;
  readonly offeredPerSecond: number;
  /** Calls a second that it answers while it is asked for five times as many. */
  readonly goodPerSecond: number;
  /** Good over peak. */
  readonly goodput: number;
  /**
   * The same of calls for each second of CPU that the service used: what else runs on the machine, above all the load generator,
   * then counts less.
   */
  readonly goodputOfCpu: number;
  readonly accepted: Outcomes;
  readonly refused: Outcomes;
  readonly generator: GeneratorCost;
  readonly baseline: Impression;
  readonly residentBytes: { readonly before: number; readonly after: number };
  readonly surprises: readonly string[];
}

const overCapacity = 5;
const none: Outcomes = { count: 0, p50Ms: 0, p99Ms: 0 };

/** Invariant 9: at five times its capacity a service goes on doing what it can, and tells the others so at once. */
export async function overload(
  soakCluster: SoakCluster,
  generator: WorkerProcess,
  durationMs: number,
): Promise<Overload> {
  const { path } = TasksServiceService.listTasks;
  const { address } = soakCluster;
  const message = ListTasksRequest.encode(ListTasksRequest.fromPartial({ pageSize: 100 })).finish();
  const headers = { authorization: `Bearer ${await soakCluster.token()}` };
  const load = (ms: number): Promise<LoadResult> =>
    generator.ask<LoadResult>('run', {
      addresses: [address],
      path,
      requests: [{ message, headers }],
      inFlight: 16,
      durationMs: ms,
    });
  const readCpu = (): Promise<number> => readCpuMs([soakCluster.cluster.httpAddress('tasks')]);
  const findPeak = async (): Promise<{ perSecond: number; perCpuMs: number }> => {
    const cpuBefore = await readCpu();
    const { calls, failures, elapsedMs } = await load(durationMs);
    return {
      perSecond: (calls - failures) / (elapsedMs / 1000),
      perCpuMs: (calls - failures) / ((await readCpu()) - cpuBefore),
    };
  };
  await load(durationMs / 2);
  const peakBefore = await findPeak();
  const before = await soakCluster.residentBytes();
  const cpuBefore = await readCpu();
  const offered = generator.ask<Offered>('offer', {
    address,
    path,
    message,
    headers,
    ratePerSecond: peakBefore.perSecond * overCapacity,
    durationMs,
  } satisfies Offer);
  const baseline = await watchDuring(soakCluster, offered);
  const { byStatus, ratePerSecond, elapsedMs, generator: itself } = await offered;
  const accepted = byStatus[status.OK] ?? none;
  const strange = Object.entries(byStatus).filter(
    ([code]) => ![status.OK, status.RESOURCE_EXHAUSTED].includes(Number(code)),
  );
  const cpuMs = (await readCpu()) - cpuBefore;
  // Before and after, since what else the machine does changes.
  const peakAfter = await findPeak();
  const peakPerSecond = (peakBefore.perSecond + peakAfter.perSecond) / 2;
  const peakPerCpuMs = (peakBefore.perCpuMs + peakAfter.perCpuMs) / 2;
  const goodPerSecond = accepted.count / (elapsedMs / 1000);
  return {
    peakPerSecond,
    offeredPerSecond: ratePerSecond,
    goodPerSecond,
    goodput: goodPerSecond / peakPerSecond,
    goodputOfCpu: accepted.count / cpuMs / peakPerCpuMs,
    accepted,
    refused: byStatus[status.RESOURCE_EXHAUSTED] ?? none,
    generator: itself,
    baseline,
    residentBytes: { before, after: await soakCluster.residentBytes() },
    surprises: [
      ...strange.map(([code, { count }]) => `${count} calls were answered ${status[Number(code)]}`),
      ...baseline.surprises,
    ],
  };
}
