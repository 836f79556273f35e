import { Metadata } from '@grpc/grpc-js';
import { toRatio, type BenchContext, type Measured } from '#dev/bench';
import { endCallSpan, startCallSpan } from '../../../../libs/grpc/src/interceptors/call-span.ts';
import {
  enter,
  openBenchCluster,
  pathOf,
  startCeiling,
  type MethodName,
  type BenchCluster,
  type WorldSize,
} from '../bench-cluster.ts';
import { createRequests, getRequests } from './calls.ts';
import { costOf } from './overheads.ts';

const inFlight = 16;

/** What recording traces costs: processes of the service that differ only in that, on the same data. */
export async function measureTraces(
  context: BenchContext,
  { tasks, ...size }: Omit<WorldSize, 'replicas'> & { tasks: number },
): Promise<void> {
  if (!context.wants('traces')) return;
  const sink = await startCeiling('trace-sink', {});
  const endpoint = { TASKFLOW_OTLP_ENDPOINT: `http://${sink.addresses[0]}` };
  const replicaEnv = {
    'tasks-2': { ...endpoint, TASKFLOW_TRACE_RATIO: '1' },
    'tasks-3': { ...endpoint, TASKFLOW_TRACE_RATIO: '0' },
  };
  const bench = await openBenchCluster(context, { ...size, replicas: 4, replicaEnv });
  try {
    await bench.grow(tasks);
    await bench.people.keepSignedIn();
    const gets = await getRequests(bench);
    const off = await compare(bench, 'getTask', { scenario: 'traces, GetTask', requests: () => gets });
    await addCostOfNothing(bench, off);
    await compare(bench, 'createTask', {
      scenario: 'traces, CreateTask',
      requests: () => createRequests(bench),
      once: true,
    });
  } finally {
    await bench.stop();
    await sink.stop();
  }
}

/** The second process without traces shows how much two equal processes differ. */
async function compare(
  bench: BenchCluster,
  method: MethodName,
  { scenario, requests, once = false }: { scenario: string; requests: Parameters<typeof enter>[2]; once?: boolean },
): Promise<Measured | undefined> {
  const contenders = [
    bench.replica(1, 'all recorded'),
    bench.replica(2, 'none recorded'),
    bench.replica(0, 'off'),
    bench.replica(3, 'off, another'),
  ];
  const entrants = contenders.map((one) => enter(one, method, requests));
  const [[, none, off, other] = []] = await bench.measure({ scenario, inFlight: [inFlight], entrants, once });
  addRatio(bench, `${scenario}: none recorded / off`, none, off);
  addRatio(bench, `${scenario}: off, another / off`, other, off);
  return off;
}

/** What a call still does for traces while they are off, as a share of its cost. Too small to show between two servers. */
async function addCostOfNothing({ context }: BenchCluster, off: Measured | undefined): Promise<void> {
  if (off === undefined) return;
  const [path, metadata] = [pathOf('getTask'), new Metadata()];
  const cost = await costOf(async () =>
    endCallSpan(startCallSpan(path, metadata, 'a-call'), { code: 'OK' }, undefined),
  );
  const name = 'traces, GetTask: what is left of them while off / off';
  context.results.ratios.push(
    toRatio(
      { name, dataset: off.row.dataset, inFlight },
      off.cpuMsPerCall.map(() => cost),
      off.cpuMsPerCall,
    ),
  );
}

function addRatio(
  { context }: BenchCluster,
  name: string,
  over: Measured | undefined,
  under: Measured | undefined,
): void {
  if (over === undefined || under === undefined) return;
  context.results.ratios.push(
    toRatio({ name, dataset: over.row.dataset, inFlight }, over.cpuMsPerCall, under.cpuMsPerCall),
  );
}
