import { Metadata } from '@grpc/grpc-js';
import { toRatio, type Measured } from '#dev/bench';
import { endCallSpan, startCallSpan } from '../../../../libs/grpc/src/interceptors/call-span.ts';
import { enter, pathOf, type MethodName, type BenchCluster } from '../bench-cluster.ts';
import { createRequests, getRequests } from './calls.ts';
import { costOf } from './overheads.ts';
import { variants } from './variants.ts';

const inFlight = 16;

/** What recording traces costs: processes of the service that differ only in that, on the same data. */
export async function measureTraces(bench: BenchCluster): Promise<void> {
  if (!bench.context.wants('traces')) return;
  await bench.people.keepSignedIn();
  const gets = await getRequests(bench);
  const off = await compare(bench, 'getTask', { scenario: 'traces, GetTask', requests: () => gets });
  await addCostOfNothing(bench, off);
  await compare(bench, 'createTask', {
    scenario: 'traces, CreateTask',
    requests: () => createRequests(bench),
    once: true,
  });
}

/** The second process without traces shows how much two equal processes differ. */
async function compare(
  bench: BenchCluster,
  method: MethodName,
  { scenario, requests, once = false }: { scenario: string; requests: Parameters<typeof enter>[2]; once?: boolean },
): Promise<Measured | undefined> {
  const contenders = [
    bench.replica(variants.allTraces, 'all recorded'),
    bench.replica(variants.noTraces, 'none recorded'),
    bench.replica(variants.plain, 'off'),
    bench.replica(variants.another, 'off, another'),
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
