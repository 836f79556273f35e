import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { TaskFlowError } from '#client/index';
import { GetTaskRequest, ListTasksRequest, CreateTaskRequest, TasksServiceService } from '#contract/tasks/v1/tasks';
import { median, runLoad } from '#dev/bench';
import type { SoakCluster } from './soak-cluster.ts';

export interface EnduranceOptions {
  readonly calls: number;
  readonly cancellations: number;
  readonly streams: number;
  /** How often the heap is looked at. */
  readonly points: number;
  readonly report: (line: string) => void;
}

export interface Endurance {
  readonly calls: number;
  /** Answers other than the wanted ones. */
  readonly surprises: readonly string[];
  /** After a garbage collection, at each point; the first is after warming up. */
  readonly heapBytes: readonly number[];
  readonly residentBytes: readonly number[];
  /** The median of the last third of the points over that of the first third, less 1. */
  readonly growth: number;
  /** A second over all. */
  readonly callsPerSecond: number;
}

/** Failing calls take other paths than successful ones, and can leak as well. */
function kindsOf({ taskId }: SoakCluster) {
  const { getTask, listTasks, createTask } = TasksServiceService;
  const get = (id: string): Uint8Array => getTask.requestSerialize(GetTaskRequest.fromPartial({ taskId: id }));
  const create = (title: string): Uint8Array =>
    createTask.requestSerialize(CreateTaskRequest.fromPartial({ task: { title } }));
  const list = (): Uint8Array => listTasks.requestSerialize(ListTasksRequest.fromPartial({ pageSize: 20 }));
  return [
    { share: 0.7, path: getTask.path, wanted: status.OK, message: () => get(taskId) },
    { share: 0.1, path: getTask.path, wanted: status.NOT_FOUND, message: () => get(randomUUID()) },
    { share: 0.1, path: createTask.path, wanted: status.INVALID_ARGUMENT, message: () => create('') },
    { share: 0.05, path: createTask.path, wanted: status.OK, message: () => create('one more') },
    { share: 0.05, path: listTasks.path, wanted: status.OK, message: list },
  ];
}

const inFlight = 16;
const anHourMs = 3_600_000;

async function call(soakCluster: SoakCluster, count: number, surprises: string[]): Promise<number> {
  let calls = 0;
  for (const { share, path, wanted, message } of kindsOf(soakCluster)) {
    const headers = { authorization: `Bearer ${await soakCluster.token()}` };
    const requests = Array.from({ length: 100 }, () => ({ message: message(), headers }));
    const maxCalls = Math.ceil(count * share);
    const load = { addresses: [soakCluster.address], path, requests, inFlight, durationMs: anHourMs, maxCalls };
    const { calls: made, failures, statuses, firstFailure } = await runLoad(load);
    calls += made;
    const others = wanted === status.OK ? failures : made - (statuses[wanted] ?? 0);
    if (others > 0)
      surprises.push(`${others} of ${made} calls of ${path} were not answered ${status[wanted]}: ${firstFailure}`);
  }
  return calls;
}

/** In groups, so that some are cancelled before they are sent, some while they wait, and some when they have been answered. */
async function cancelSome({ tasks }: SoakCluster, count: number, surprises: string[]): Promise<void> {
  for (let begun = 0; begun < count; begun += inFlight) {
    const leaving = new AbortController();
    const calls = Array.from({ length: Math.min(inFlight, count - begun) }, () =>
      tasks.listTasks({ pageSize: 20 }, { signal: leaving.signal }),
    );
    const ended = Promise.allSettled(calls);
    if (begun % 3 === 0) leaving.abort();
    else setTimeout(() => leaving.abort(), begun % 20);
    for (const result of await ended) {
      const code = result.status === 'rejected' ? (result.reason as TaskFlowError).code : 'OK';
      if (code !== 'OK' && code !== 'CANCELLED') surprises.push(`a cancelled call ended ${code}`);
    }
  }
}

/** All of them open at the same time; then their client leaves. */
async function watchSome({ tasks }: SoakCluster, count: number, surprises: string[]): Promise<void> {
  const leaving = new AbortController();
  const watch = async (begun: () => void): Promise<void> => {
    for await (const { resumeToken } of tasks.watchTasks({}, { signal: leaving.signal }))
      if (resumeToken !== '') begun();
  };
  const watching: Promise<void>[] = [];
  const begun = Array.from({ length: count }, () => new Promise<void>((resolve) => watching.push(watch(resolve))));
  const ended = Promise.allSettled(watching);
  await Promise.race([Promise.all(begun), ended]);
  leaving.abort();
  for (const result of await ended) {
    const error: unknown = result.status === 'rejected' ? result.reason : undefined;
    if (!(error instanceof TaskFlowError) || error.code !== 'CANCELLED')
      surprises.push(`a stream ended ${error instanceof TaskFlowError ? error.message : 'by itself'}`);
  }
}

function growthOf(heapBytes: readonly number[]): number {
  const third = Math.max(1, Math.floor(heapBytes.length / 3));
  return median(heapBytes.slice(-third)) / median(heapBytes.slice(0, third)) - 1;
}

export const megabytes = (bytes = 0): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** Invariant 13: calls, cancellations and streams leave nothing behind. */
export async function endure(
  soakCluster: SoakCluster,
  { calls, cancellations, streams, points, report }: EnduranceOptions,
): Promise<Endurance> {
  const surprises: string[] = [];
  const heapBytes: number[] = [];
  const residentBytes: number[] = [];
  const part = async (share: number): Promise<number> => {
    const made = await call(soakCluster, calls * share, surprises);
    await cancelSome(soakCluster, Math.ceil(cancellations * share), surprises);
    await watchSome(soakCluster, Math.ceil(streams * share), surprises);
    return made;
  };
  const look = async (): Promise<void> => {
    heapBytes.push(await soakCluster.heap.usedBytes());
    residentBytes.push(await soakCluster.residentBytes());
  };
  // Code and pools that are built once are no leak.
  await part(1 / points);
  await look();
  const began = performance.now();
  let made = 0;
  for (let point = 1; point <= points; point += 1) {
    made += await part(1 / points);
    await look();
    report(`${made} calls: ${megabytes(heapBytes.at(-1))} of heap, ${megabytes(residentBytes.at(-1))} resident`);
  }
  return {
    calls: made,
    surprises: [...new Set(surprises)],
    heapBytes,
    residentBytes,
    growth: growthOf(heapBytes),
    callsPerSecond: made / ((performance.now() - began) / 1000),
  };
}
