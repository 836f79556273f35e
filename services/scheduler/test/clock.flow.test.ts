import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Task } from '#contract/tasks/v1/tasks';
import { anHourAgo, startSchedulerCluster, until, type SchedulerCluster, type TestUser } from './start-cluster.ts';

const threeHours = 10_800_000;
const clockOff = (shiftMs: number) => ({
  NODE_OPTIONS: `--import=${fileURLToPath(new URL('shifted-clock.mjs', import.meta.url))}`,
  TASKFLOW_TEST_CLOCK_SHIFT_MS: String(shiftMs),
});

/** One replica is right, one is three hours ahead and one three hours behind. */
let service: SchedulerCluster;
let ada: TestUser;
beforeAll(async () => {
  service = await startSchedulerCluster({
    replicas: { scheduler: 3 },
    replicaEnv: { 'scheduler-2': clockOff(threeHours), 'scheduler-3': clockOff(-threeHours) },
    env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '1000' },
  });
  ada = await service.newUser('Ada');
}, 180_000);
afterAll(() => service?.stop(), 60_000);

interface Told {
  task_id: string;
  state: string;
  due_version: number;
}

const toldOf = (tasks: readonly Task[]) =>
  service.sql<Told>('select task_id, state, due_version::int from notifications where kind = 1 and task_id = any ($1::uuid[]) order by task_id, due_version', [tasks.map(({ id }) => id)]);
const delivered = (tasks: readonly Task[]) => until(() => toldOf(tasks), (rows) => rows.length >= tasks.length && rows.every(({ state }) => state !== 'pending'));
const createOverdue = (count: number) => Promise.all(Array.from({ length: count }, () => service.createTask(ada, { dueTime: anHourAgo() })));
const onceEach = (tasks: readonly Task[]) => tasks.map(({ id }) => ({ task_id: id, state: 'delivered', due_version: 1 })).sort((a, b) => (a.task_id < b.task_id ? -1 : 1));
const ticksSince = async (count: number) => {
  const ended = async () => (await service.sql<{ count: number }>("select count(*)::int as count from schedule_runs where schedule_id = 'overdue-sweep' and state = 'done'"))[0]?.count ?? 0;
  const wanted = (await ended()) + count;
  await until(ended, (now) => now >= wanted);
};

describe('with replicas whose clocks are three hours off', () => {
  it('every task is told once, nothing dies of it, and what is not due yet is not told', async () => {
    const dueSoon = await service.createTask(ada, { dueTime: new Date(Date.now() + 3_600_000) });
    const tasks = await createOverdue(20);
    expect(await delivered(tasks)).toEqual(onceEach(tasks));
    await ticksSince(3);
    expect(await toldOf([dueSoon])).toEqual([]);
    expect(await toldOf(tasks)).toEqual(onceEach(tasks));
    expect(await service.sql('select 1 from dead_letters')).toEqual([]);
    expect(service.cluster.logs('scheduler', 1)).toContain('the clock is wrong');
    expect(service.cluster.logs('scheduler', 2)).toContain('the clock is wrong');
    expect(service.cluster.logs('scheduler', 0)).not.toContain('the clock is wrong');
  }, 120_000);

  it('fire times stay those of the database', async () => {
    const rows = await service.sql<{ late: number }>("select extract(epoch from create_time - fire_time)::float8 as late from schedule_runs where fire_time is not null");
    expect(rows.every(({ late }) => late >= 0 && late < 60)).toBe(true);
  });
});
