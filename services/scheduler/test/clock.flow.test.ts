import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '#libs/devcluster';
import { anHourAgo, startSchedulerCluster, type SchedulerCluster, type TestUser } from './start-cluster.ts';
import { onceEach, settled, toldOf } from './told.ts';

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
});
afterAll(() => service?.stop());

const createOverdue = (count: number) => Promise.all(Array.from({ length: count }, () => service.createTask(ada, { dueTime: anHourAgo() })));
const ticksSince = async (count: number) => {
  const ended = async () => (await service.sql<{ count: number }>("select count(*)::int as count from schedule_runs where schedule_id = 'overdue-sweep' and state = 'done'"))[0]?.count ?? 0;
  const wanted = (await ended()) + count;
  await until(ended, (now) => now >= wanted);
};

describe('with replicas whose clocks are three hours off', () => {
  it('every task is told once, nothing dies of it, and what is not due yet is not told', async () => {
    const dueSoon = await service.createTask(ada, { dueTime: new Date(Date.now() + 3_600_000) });
    const tasks = await createOverdue(20);
    expect(await settled(service, tasks)).toEqual(onceEach(tasks));
    await ticksSince(3);
    expect(await toldOf(service, [dueSoon])).toEqual([]);
    expect(await toldOf(service, tasks)).toEqual(onceEach(tasks));
    expect(await service.sql('select 1 from dead_letters')).toEqual([]);
    for (const replica of [1, 2]) await until(async () => service.cluster.logs('scheduler', replica).includes('the clock is wrong'), Boolean);
    expect(service.cluster.logs('scheduler', 0)).not.toContain('the clock is wrong');
  });

  it('fire times stay those of the database', async () => {
    const rows = await service.sql<{ late: number }>("select extract(epoch from create_time - fire_time)::float8 as late from schedule_runs where fire_time is not null");
    expect(rows.every(({ late }) => late >= 0 && late < 60)).toBe(true);
  });
});
