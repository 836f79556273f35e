import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import type { Cluster } from '#libs/devcluster';

/** When each part of the way was finished, in milliseconds since the sweep was asked for. */
export interface SweepTimes {
  sweptMs: number;
  enqueuedMs: number;
  deliveredMs: number;
  /** Intents that were made. */
  intents: number;
  /** Jobs that they were put into. */
  jobs: number;
  /** Resident bytes of both processes, at equal intervals. */
  memory: { tasks: number[]; scheduler: number[] };
}

interface Progress {
  unmarked: boolean;
  intents: number;
  unqueued: number;
  pending: number;
}

const lookEveryMs = 500;

/** Looks until every intent is delivered; rejects when nothing moves for a minute. */
export async function watchSweep(cluster: Cluster, expected: number, signal: AbortSignal): Promise<SweepTimes> {
  const [tasks, scheduler] = [new Client({ connectionString: cluster.databaseUrl('tasks') }), new Client({ connectionString: cluster.databaseUrl('scheduler') })];
  await Promise.all([tasks.connect(), scheduler.connect()]);
  const times: SweepTimes = { sweptMs: 0, enqueuedMs: 0, deliveredMs: 0, intents: 0, jobs: 0, memory: { tasks: [], scheduler: [] } };
  const began = performance.now();
  const stalled = createStallGuard();
  try {
    while (times.deliveredMs === 0) {
      await pause(lookEveryMs, undefined, { signal });
      const progress = await look(tasks, scheduler);
      stalled(progress);
      note(times, progress, { expected, elapsedMs: performance.now() - began });
      times.memory.tasks.push(await residentBytes(cluster.httpAddress('tasks')));
      times.memory.scheduler.push(await residentBytes(cluster.httpAddress('scheduler')));
    }
    const { rows } = await scheduler.query<{ jobs: string }>('select count(distinct job_id) as jobs from notifications');
    return { ...times, jobs: Number(rows[0]?.jobs) };
  } finally {
    await Promise.all([tasks.end(), scheduler.end()]);
  }
}

function note(times: SweepTimes, { unmarked, intents, unqueued, pending }: Progress, { expected, elapsedMs }: { expected: number; elapsedMs: number }): void {
  const isComplete = !unmarked && intents >= expected;
  times.intents = intents;
  if (!unmarked && times.sweptMs === 0) times.sweptMs = elapsedMs;
  if (isComplete && unqueued === 0 && times.enqueuedMs === 0) times.enqueuedMs = elapsedMs;
  if (isComplete && pending === 0) times.deliveredMs = elapsedMs;
}

async function look(tasks: Client, scheduler: Client): Promise<Progress> {
  const due = await tasks.query<{ unmarked: boolean }>('select exists (select from task_due where overdue_time is null and due_time <= now()) as unmarked');
  const intents = await scheduler.query<{ intents: string; unqueued: string; pending: string }>(`
    select count(*) as intents, count(*) filter (where state = 'pending' and job_id is null) as unqueued, count(*) filter (where state = 'pending') as pending
    from notifications`);
  const [row] = intents.rows;
  return { unmarked: due.rows[0]?.unmarked ?? true, intents: Number(row?.intents), unqueued: Number(row?.unqueued), pending: Number(row?.pending) };
}

const patienceMs = 60_000;

function createStallGuard(): (progress: Progress) => void {
  let last = '';
  let movedAt = performance.now();
  return (progress) => {
    const now = JSON.stringify(progress);
    if (now !== last) movedAt = performance.now();
    last = now;
    if (performance.now() - movedAt > patienceMs) throw new Error(`nothing has moved for a minute: ${now}`);
  };
}

async function residentBytes(httpAddress: string): Promise<number> {
  const text = await (await fetch(`${httpAddress}/metrics`)).text();
  return Number(/^process_resident_memory_bytes(?:\{[^}]*\})? ([\d.e+-]+)/m.exec(text)?.[1] ?? 0);
}

/** How long each batch of the sweep took in the service, in their order, by its log. */
export function readBatchTimes(cluster: Cluster): number[] {
  const lines = readFileSync(cluster.logFile('tasks'), 'utf8').split('\n').filter((line) => line.includes('/SweepOverdue"'));
  return lines.map((line) => (JSON.parse(line) as { durationMs: number }).durationMs);
}
