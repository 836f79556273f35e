import { fileURLToPath } from 'node:url';
import {
  countText,
  median,
  startWorker,
  toRatio,
  type BenchContext,
  type Figure,
  type Ratio,
  type WorkerProcess,
} from '#dev/bench';
import type { Cluster } from '#dev/cluster';
import { queryOnce } from '#dev/testing';
import type { BulkOrder, Rate, SweepOrder, SweepRate } from './ceilings.ts';
import { openSweepCluster, triggerSweep, untilPulling } from './sweep-cluster.ts';
import { readBatchTimes, watchSweep, type SweepTimes } from './watch-sweep.ts';

const script = fileURLToPath(new URL('ceilings.ts', import.meta.url));
/** What the scheduler asks for at a time. */
const batchSize = 2000;

interface Sweep {
  overdue: number;
  expected: number;
  alone: SweepRate;
  bulk: Rate;
  times: SweepTimes;
  batchMs: number[];
}

/** A sweep from the due rows to the last delivery, beside what its parts could do alone in the same run. */
export async function measureSweep(context: BenchContext, overdue: number): Promise<void> {
  if (!context.wants(`sweep ${countText(overdue)}`)) return;
  const cluster = await openSweepCluster(context, overdue);
  const ceilings = await startWorker(script);
  try {
    const expected = await countExpected(cluster);
    context.report(`the sweep's statements alone on a copy, ${countText(overdue)} tasks`);
    const alone = await onCopy(context, cluster, async (databaseUrl) =>
      ceilings.ask<SweepRate>('sweepAlone', { databaseUrl, batchSize } satisfies SweepOrder),
    );
    await untilPulling(cluster);
    context.report(`sweep, ${countText(overdue)} tasks among ${countText(overdue * 10)}`);
    const before = readBatchTimes(cluster).length;
    const watching = watchSweep(cluster, context.signal);
    await Promise.all([triggerSweep(cluster), watching]);
    const times = await watching;
    const batchMs = readBatchTimes(cluster).slice(before);
    const bulk = await addBulk(context, ceilings, times);
    addResults(context, { overdue, expected, alone, bulk, times, batchMs });
  } finally {
    await ceilings.stop();
    await cluster.stop();
  }
}

/** One for the owner of each overdue task, and one for whom else it is assigned to. */
async function countExpected(cluster: Cluster): Promise<number> {
  const text = `
    select coalesce(sum(case when assignee_id <> owner_id then 2 else 1 end), 0)::int as expected
    from task_due where overdue_time is null and due_time <= now()`;
  return (await queryOnce<{ expected: number }>(cluster.databaseUrl('tasks'), text))[0]?.expected ?? 0;
}

/** A copy needs its original without sessions, so the services that have any are away in the meantime. */
async function onCopy<T>(
  { infrastructure }: BenchContext,
  cluster: Cluster,
  work: (databaseUrl: string) => Promise<T>,
): Promise<T> {
  const url = new URL(cluster.databaseUrl('tasks'));
  const original = url.pathname.slice(1);
  const copy = `${original}_copy`;
  await cluster.kill('tasks', 'SIGTERM');
  await queryOnce(
    infrastructure.postgresAdminUrl,
    `create database ${copy} template ${original} owner ${url.username} strategy file_copy`,
  );
  url.pathname = `/${copy}`;
  try {
    return await work(url.href);
  } finally {
    await queryOnce(infrastructure.postgresAdminUrl, `drop database ${copy} with (force)`);
    await queryOnce(infrastructure.postgresAdminUrl, 'checkpoint');
    await cluster.start('tasks');
  }
}

/** The most notifications in one job, and the fewest jobs for a meaningful rate. */
const idsPerJob = 100;
const leastJobs = 2000;

/** At least as many jobs as all notifications need. */
async function addBulk(
  { infrastructure }: BenchContext,
  ceilings: WorkerProcess,
  { notifications }: SweepTimes,
): Promise<Rate> {
  const order: BulkOrder = {
    redisUrl: infrastructure.redisUrl,
    jobs: Math.max(leastJobs, Math.ceil(notifications / idsPerJob)),
    idsPerJob,
  };
  return ceilings.ask<Rate>('addBulkAlone', order);
}

/** Tasks per second from due to the last job in the queue, by the number of overdue tasks; of other numbers nothing is asked. */
const enqueuedAims: ReadonlyMap<number, number> = new Map([
  [100_000, 8000],
  [1_000_000, 4000],
]);

const perSecond = (count: number, ms: number): number => count / (ms / 1000);
const megabytes = (bytes: number): number => bytes / 1_048_576;

function addResults({ results }: BenchContext, { overdue, expected, alone, bulk, times, batchMs }: Sweep): void {
  const name = (what: string): string => `sweep of ${countText(overdue)} among ${countText(overdue * 10)}: ${what}`;
  const figure = (what: string, value: number, unit: string): Figure => ({ name: name(what), value, unit });
  const { sweptMs, enqueuedMs, deliveredMs, notifications, jobs, memory } = times;
  const mustBeZero = true;
  const wanted = enqueuedAims.get(overdue);
  results.figures.push(
    { ...figure('notifications missing or too many', Math.abs(expected - notifications), 'notifications'), mustBeZero },
    { ...figure('tasks that the copy lacked', Math.abs(overdue - alone.count), 'tasks'), mustBeZero },
    figure('its statements alone', perSecond(alone.count, alone.ms), 'tasks/s'),
    figure('marked and recorded', perSecond(overdue, sweptMs), 'tasks/s'),
    {
      ...figure('to the last intent in the queue', perSecond(overdue, enqueuedMs), 'tasks/s'),
      aim: wanted === undefined ? undefined : { atLeast: wanted },
    },
    figure('to the last delivery', perSecond(overdue, deliveredMs), 'tasks/s'),
    figure('notifications', notifications, 'notifications'),
    figure('jobs', jobs, 'jobs'),
    figure('addBulk alone', perSecond(bulk.count, bulk.ms), 'jobs/s'),
    figure('addBulk alone, in full jobs', perSecond(bulk.count * idsPerJob, bulk.ms), 'notifications/s'),
    figure('batches', batchMs.length, 'batches'),
    figure('a batch, first tenth', median(tenth(batchMs, 'first')), 'ms'),
    figure('a batch, last tenth', median(tenth(batchMs, 'last')), 'ms'),
    ...(['tasks', 'scheduler'] as const).flatMap((service) => [
      figure(`memory of ${service}, in the first third`, megabytes(Math.max(...third(memory[service], 'first'))), 'MB'),
      figure(`memory of ${service}, in the last third`, megabytes(Math.max(...third(memory[service], 'last'))), 'MB'),
    ]),
  );
  results.ratios.push(...ratiosOf(overdue, { alone, times, batchMs }));
}

function ratiosOf(overdue: number, { alone, times, batchMs }: Pick<Sweep, 'alone' | 'times' | 'batchMs'>): Ratio[] {
  const about = { dataset: countText(overdue), inFlight: 1 };
  const lastToFirst = (name: string, select: (which: 'first' | 'last') => number, aim?: number): Ratio =>
    toRatio({ ...about, name: `sweep, ${name} / first`, aim }, [select('last')], [select('first')]);
  // At least 40 % of its speed.
  const share = { ...about, name: 'sweep, time to the last enqueued / its statements alone', aim: 2.5 };
  // Whether the statements themselves grow; what they share the machine with is in the next.
  const ownBatches = 'time of a batch of its statements alone: last tenth';
  return [
    toRatio(share, [times.enqueuedMs], [alone.ms]),
    lastToFirst(ownBatches, (which) => median(tenth(alone.batchMs, which)), 1.3),
    lastToFirst('time of a batch: last tenth', (which) => median(tenth(batchMs, which)), 1.3),
    ...(['tasks', 'scheduler'] as const).map((service) =>
      lastToFirst(`memory of ${service}: last third`, (which) => Math.max(...third(times.memory[service], which))),
    ),
  ];
}

function slice(values: readonly number[], share: number, which: 'first' | 'last'): readonly number[] {
  const length = Math.max(1, Math.floor(values.length * share));
  return which === 'first' ? values.slice(0, length) : values.slice(-length);
}

/** The last two only find that nothing is left, where the sweep ended and from the beginning. */
const tenth = (values: readonly number[], which: 'first' | 'last'): readonly number[] =>
  slice(values.length > 2 ? values.slice(0, -2) : values, 0.1, which);
const third = (values: readonly number[], which: 'first' | 'last'): readonly number[] => slice(values, 1 / 3, which);
