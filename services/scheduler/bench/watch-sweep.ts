import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import type { Cluster } from '#dev/cluster';
import { readGauge } from './sweep-cluster.ts';

/** When each part of the way was finished, in milliseconds since the sweep was asked for. */
export interface SweepTimes {
  sweptMs: number;
  enqueuedMs: number;
  deliveredMs: number;
  /** Notifications that were made. */
  notifications: number;
  /** Jobs that they were put into. */
  jobs: number;
  /** Resident bytes of both processes, at equal intervals. */
  memory: { tasks: number[]; scheduler: number[] };
}

interface Progress {
  unmarked: boolean;
  /** Every event has been read, so that all notifications are there. */
  ingested: boolean;
  unqueued: boolean;
  pending: boolean;
  /** Changes with every row that the scheduler writes. */
  written: string;
}

const lookEveryMs = 500;

/** Looks until every intent is delivered; rejects when nothing moves for a minute. */
export async function watchSweep(cluster: Cluster, signal: AbortSignal): Promise<SweepTimes> {
  const clientOf = (service: 'tasks' | 'scheduler') => new Client({ connectionString: cluster.databaseUrl(service) });
  const [tasks, scheduler] = [clientOf('tasks'), clientOf('scheduler')];
  await Promise.all([tasks.connect(), scheduler.connect()]);
  const times: SweepTimes = {
    sweptMs: 0,
    enqueuedMs: 0,
    deliveredMs: 0,
    notifications: 0,
    jobs: 0,
    memory: { tasks: [], scheduler: [] },
  };
  const began = performance.now();
  const stalled = createStallGuard();
  try {
    while (times.deliveredMs === 0) {
      await pause(lookEveryMs, undefined, { signal });
      const progress = await look(tasks, scheduler);
      stalled(progress);
      note(times, progress, performance.now() - began);
      times.memory.tasks.push(await residentBytes(cluster.httpAddress('tasks')));
      times.memory.scheduler.push(await residentBytes(cluster.httpAddress('scheduler')));
    }
    const { rows } = await scheduler.query<{ notifications: string; jobs: string }>(
      'select count(*) as notifications, count(distinct job_id) as jobs from notifications',
    );
    return { ...times, notifications: Number(rows[0]?.notifications), jobs: Number(rows[0]?.jobs) };
  } finally {
    await Promise.all([tasks.end(), scheduler.end()]);
  }
}

function note(times: SweepTimes, { unmarked, ingested, unqueued, pending }: Progress, elapsedMs: number): void {
  const isComplete = !unmarked && ingested;
  if (!unmarked && times.sweptMs === 0) times.sweptMs = elapsedMs;
  if (isComplete && !unqueued && times.enqueuedMs === 0) times.enqueuedMs = elapsedMs;
  if (isComplete && !pending) times.deliveredMs = elapsedMs;
}

const ofTasks = `
  select exists (select from task_due where overdue_time is null and due_time <= now()) as unmarked,
    (select (transaction_id, id)::text from events
     where concerns_others is not false order by transaction_id desc, id desc limit 1) as last`;

// A count would read the whole table, which costs the measured database more than some of what is measured.
const ofScheduler = `
  select (select (transaction_id, event_id)::text from event_cursors limit 1) as read,
    exists (select from notifications where state = 'pending' and job_id is null) as unqueued,
    exists (select from notifications where state = 'pending') as pending,
    (select (n_tup_ins, n_tup_upd)::text from pg_stat_user_tables where relname = 'notifications') as written`;

async function look(tasks: Client, scheduler: Client): Promise<Progress> {
  const ofOne = await tasks.query<Pick<Progress, 'unmarked'> & { last: string | null }>(ofTasks);
  const ofOther = await scheduler.query<Omit<Progress, 'unmarked' | 'ingested'> & { read: string | null }>(ofScheduler);
  const [due, row] = [ofOne.rows[0], ofOther.rows[0]];
  if (due === undefined || row === undefined) throw new Error('a row without a table is always there');
  const { read, ...progress } = row;
  return { ...progress, unmarked: due.unmarked, ingested: due.last !== null && due.last === read };
}

const giveUpAfterMs = 60_000;

function createStallGuard(): (progress: Progress) => void {
  let last = '';
  let movedAt = performance.now();
  return (progress) => {
    const now = JSON.stringify(progress);
    if (now !== last) movedAt = performance.now();
    last = now;
    if (performance.now() - movedAt > giveUpAfterMs) throw new Error(`nothing has moved for a minute: ${now}`);
  };
}

const residentBytes = (httpAddress: string) => readGauge(httpAddress, 'process_resident_memory_bytes');

/** How long each batch of the sweep took in the service, in their order, by its log. */
export function readBatchTimes(cluster: Cluster): number[] {
  const lines = readFileSync(cluster.logFile('tasks'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('/SweepOverdue"'));
  return lines.map((line) => (JSON.parse(line) as { durationMs: number }).durationMs);
}
