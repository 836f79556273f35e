import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { percentile, startWorker, type WorkerProcess } from '#dev/bench';
import { pathOf, type BenchCluster } from '../bench-cluster.ts';
import { createRequests } from './calls.ts';
import type { WatchOrder, WatchReport } from './watchers.ts';

const script = fileURLToPath(new URL('watchers.ts', import.meta.url));
const streamsOfEach = 9;
const createsOfEach = 10;
/** Parallel creations. */
const inFlight = 4;
const giveUpAfterMs = 60_000;

/** Hundreds of clients watch while tasks are created. Each must get every change of its tasks once, and soon. */
export async function measureFanOut(bench: BenchCluster): Promise<void> {
  const { context, people } = bench;
  if (!context.wants('WatchTasks fan-out')) return;
  context.report('WatchTasks fan-out');
  await people.keepSignedIn();
  const writers = bench.writers();
  const watchers = await startWorker(script);
  try {
    const streams = writers.flatMap(({ headers }) => Array.from({ length: streamsOfEach }, () => headers));
    await watchers.ask('watch', {
      address: bench.cluster.address('tasks'),
      path: pathOf('watchTasks'),
      streams,
    } satisfies WatchOrder);
    await untilReported(watchers, ({ begun, ended }) => begun + ended >= streams.length);
    await createAndCount(bench, watchers, streams.length);
  } finally {
    await watchers.stop();
  }
}

async function createAndCount(bench: BenchCluster, watchers: WorkerProcess, streams: number): Promise<void> {
  const { server } = bench.service();
  const requests = createRequests(bench, bench.writers().length * createsOfEach);
  const expected = requests.length * streamsOfEach;
  const before = await server.cpuMs();
  const began = performance.now();
  const created = await bench.context.generators.run({
    addresses: server.addresses,
    path: pathOf('createTask'),
    requests,
    once: true,
    inFlight,
    durationMs: giveUpAfterMs,
  });
  const seen = await untilReported(watchers, ({ events, ended }) => events >= expected || ended > 0);
  const elapsedMs = performance.now() - began;
  const serverMs = (await server.cpuMs()) - before;
  const name = (what: string): string => `WatchTasks fan-out to ${streams} streams: ${what}`;
  bench.context.results.figures.push(
    { name: name('creations that failed'), value: created.failures, unit: 'calls', mustBeZero: true },
    { name: name(`streams that ended ${seen.firstEnd}`), value: seen.ended, unit: 'streams', mustBeZero: true },
    {
      name: name(`of ${expected} events missed`),
      value: Math.max(0, expected - seen.events),
      unit: 'events',
      mustBeZero: true,
    },
    { name: name('repeated'), value: seen.repeated, unit: 'events', mustBeZero: true },
    { name: name('delivered'), value: seen.events / (elapsedMs / 1000), unit: 'events/s' },
    { name: name('p50 from the write to the client'), value: percentile(seen.latencies, 0.5), unit: 'ms' },
    { name: name('p99 from the write to the client'), value: percentile(seen.latencies, 0.99), unit: 'ms' },
    { name: name('server CPU, with the creations'), value: serverMs / Math.max(1, seen.events), unit: 'ms/event' },
  );
}

/** Returns the last report when none satisfies in time. */
async function untilReported(
  watchers: WorkerProcess,
  satisfies: (report: WatchReport) => boolean,
): Promise<WatchReport> {
  const giveUp = performance.now() + giveUpAfterMs;
  for (;;) {
    const report = await watchers.ask<WatchReport>('report');
    if (satisfies(report) || performance.now() > giveUp) return report;
    await pause(20);
  }
}
