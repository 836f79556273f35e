import { waitUntil } from '#dev/cluster';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import { TaskStatus } from '#contract/tasks/v1/tasks';
import type { BenchContext } from '#dev/bench';
import type { Cluster } from '#dev/cluster';
import { queryOnce } from '#dev/testing';
import { openStub } from '#dev/stubs';
import type { Task } from '../../tasks/src/domain/task.entity.ts';
import { fillTasks } from '../../tasks/bench/data/fill.ts';
import { createPeople } from '../../tasks/bench/data/people.ts';
import { days } from '../../tasks/bench/data/task-drafts.ts';

/** One task in so many is overdue. */
const oneIn = 10;
const sweepId = 'overdue-sweep';
const noSweepsMs = 86_400_000;

/** Every tenth task is open and its due time has passed; no other's has. */
function adaptTo(now: number): (task: Task, index: number) => void {
  return (task, index) => {
    const isOverdue = index % oneIn === 0;
    const daysFrom = (index % 997) / 40;
    if (isOverdue) Object.assign(task, { status: TaskStatus.PENDING, completeTime: null });
    if (!isOverdue && task.dueTime === null) return;
    const dueTime = new Date(isOverdue ? now - 60_000 - daysFrom * days : now + days + daysFrom * days);
    Object.assign(task, { dueTime, dueDate: null, dueZone: null, dueVersion: 1n });
  };
}

/** A whole cluster with so many overdue tasks and ten times as many in all, before anybody has swept. */
export async function openSweepCluster(context: BenchContext, overdue: number): Promise<Cluster> {
  const cluster = await context.startCluster({ env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: String(noSweepsMs) } });
  const people = await createPeople(cluster, { callers: 1, all: overdue >= 10_000 ? 1000 : 100 });
  people.close();
  await untilFirstSwept(cluster);
  const url = cluster.databaseUrl('tasks');
  // A sweep does not touch the words of tasks, and indexing those of millions takes longer than everything else here.
  await queryOnce(url, 'drop index if exists tasks_owned_words, tasks_assigned_words');
  const { report, signal } = context;
  await fillTasks(url, people, {
    from: 0,
    to: overdue * oneIn,
    adapt: adaptTo(Date.now()),
    withoutLog: true,
    report,
    signal,
  });
  return cluster;
}

/** The sweep that comes with the declaration of its schedule is over: begun later, it would take the tasks that are to be measured. */
async function untilFirstSwept(cluster: Cluster): Promise<void> {
  const ended = (): Promise<object[]> =>
    queryOnce(cluster.databaseUrl('scheduler'), `select from schedule_runs where schedule_id = $1 and state = 'done'`, [
      sweepId,
    ]);
  await waitUntil(ended, (runs) => runs.length > 0);
}

/**
 * Events are pulled from now on. While tasks was away the scheduler tried ever more rarely, and a sweep that begins meanwhile
 * has the machine for itself at first: its batches would then seem to become slower.
 */
export async function untilPulling(cluster: Cluster): Promise<void> {
  const since = Date.now() / 1000;
  const lastPull = () => readGauge(cluster.httpAddress('scheduler'), 'event_consumer_last_pull_timestamp_seconds');
  await waitUntil(lastPull, (time) => time > since);
}

/** The value of a gauge that a process shows; 0 while it shows none. */
export async function readGauge(httpAddress: string, name: string): Promise<number> {
  const text = await (await fetch(`${httpAddress}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? ([\\d.e+-]+)`, 'm').exec(text)?.[1] ?? 0);
}

/** As an administrator would. */
export async function triggerSweep(cluster: Cluster): Promise<void> {
  const auth = openStub(AuthServiceService, cluster.address('auth'));
  const scheduler = openStub(SchedulerServiceService, cluster.address('scheduler'));
  try {
    const { tokens } = await auth.login(cluster.admin);
    await scheduler.triggerSchedule({ scheduleId: sweepId, requestId: '' }, { token: tokens?.accessToken ?? '' });
  } finally {
    auth.close();
    scheduler.close();
  }
}
