import { Metadata } from '@grpc/grpc-js';
import { toRatio, type BenchContext, type Measured } from '#libs/bench';
import { endCallSpan, startCallSpan } from '../../../../libs/grpc/src/server/call-span.ts';
import { enter, openWorld, pathOf, startCeiling, type MethodName, type World, type WorldSize } from '../world.ts';
import { createRequests, getRequests } from './calls.ts';
import { costOf } from './overheads.ts';

const inFlight = 16;

/** What recording traces costs: processes of one service that differ in that alone, beside each other on the same data. */
export async function measureTraces(context: BenchContext, { tasks, ...size }: Omit<WorldSize, 'replicas'> & { tasks: number }): Promise<void> {
  if (!context.wants('traces')) return;
  const sink = await startCeiling('trace-sink', {});
  const endpoint = { TASKFLOW_OTLP_ENDPOINT: `http://${sink.addresses[0]}` };
  const replicaEnv = { 'tasks-2': { ...endpoint, TASKFLOW_TRACE_RATIO: '1' }, 'tasks-3': { ...endpoint, TASKFLOW_TRACE_RATIO: '0' } };
  const world = await openWorld(context, { ...size, replicas: 4, replicaEnv });
  try {
    await world.grow(tasks);
    await world.people.keepSignedIn();
    const gets = await getRequests(world);
    const off = await compare(world, 'getTask', { scenario: 'traces, GetTask', requests: () => gets });
    await addCostOfNothing(world, off);
    await compare(world, 'createTask', { scenario: 'traces, CreateTask', requests: () => createRequests(world), once: true });
  } finally {
    await world.stop();
    await sink.stop();
  }
}

/** The second process without traces shows how much two equal processes differ. */
async function compare(world: World, method: MethodName, { scenario, requests, once = false }: { scenario: string; requests: Parameters<typeof enter>[2]; once?: boolean }): Promise<Measured | undefined> {
  const contenders = [world.replica(1, 'all recorded'), world.replica(2, 'none recorded'), world.replica(0, 'off'), world.replica(3, 'off, another')];
  const entrants = contenders.map((one) => enter(one, method, requests));
  const [[, none, off, other] = []] = await world.measure({ scenario, inFlight: [inFlight], entrants, once });
  addRatio(world, `${scenario}: none recorded / off`, none, off);
  addRatio(world, `${scenario}: off, another / off`, other, off);
  return off;
}

/** Too small for the difference of two servers: what a call still does for traces while they are off, beside all that it does. */
async function addCostOfNothing({ context }: World, off: Measured | undefined): Promise<void> {
  if (off === undefined) return;
  const [path, metadata] = [pathOf('getTask'), new Metadata()];
  const cost = await costOf(async () => endCallSpan(startCallSpan(path, metadata, 'a-call'), { code: 'OK' }, undefined));
  const name = 'traces, GetTask: what is left of them while off / off';
  context.results.ratios.push(toRatio({ name, dataset: off.row.dataset, inFlight }, off.cpuMsPerCall.map(() => cost), off.cpuMsPerCall));
}

function addRatio({ context }: World, name: string, over: Measured | undefined, under: Measured | undefined): void {
  if (over === undefined || under === undefined) return;
  context.results.ratios.push(toRatio({ name, dataset: over.row.dataset, inFlight }, over.cpuMsPerCall, under.cpuMsPerCall));
}
