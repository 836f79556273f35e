import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Task } from '#contract/tasks/v1/tasks';
import { waitUntil } from '#dev/cluster';
import { startSchedulerCluster } from './start-cluster.ts';
import { createSteppedClock } from './stepped-clock.ts';
import { onceEach, completed, receivedBy } from './received.ts';
import { dueAt } from '../../tasks/test/due.ts';
import { untilDone } from './waiting.ts';

const hour = 3_600_000;
/** Of scheduler-2 and scheduler-3; the first replica is right. */
const clocks = [createSteppedClock(3 * hour), createSteppedClock(-3 * hour)] as const;

const service = await startSchedulerCluster({
  replicas: { scheduler: 3 },
  replicaEnv: { 'scheduler-2': clocks[0].env, 'scheduler-3': clocks[1].env },
  env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '1000' },
});
afterAll(service.stop);
const ada = await service.newUser('Ada');

const createOverdue = (count: number) => service.createOverdue(ada, count);
const ticksSince = async (count: number) => {
  const ended = async () =>
    (
      await service.sql<{ count: number }>(
        "select count(*)::int as count from schedule_runs where schedule_id = 'overdue-sweep' and state = 'done'",
      )
    )[0]?.count ?? 0;
  const wanted = (await ended()) + count;
  await waitUntil(ended, (now) => now >= wanted);
};
const logs = (replica: number): string => service.cluster.logs('scheduler', replica);
const isRefused = (replica: number): boolean => logs(replica).includes('the identity of this service is refused');
const postponedBy = (replica: number): number => logs(replica).split('"outcome":"postponed"').length - 1;

describe('with replicas whose clocks are three hours off', () => {
  it('every overdue task is notified once, no job dies, and a task that is not due yet is not notified', async () => {
    const dueSoon = await service.createTask(ada, { ...dueAt(new Date(Date.now() + hour)) });
    const tasks = await createOverdue(20);
    expect(await completed(service, tasks)).toEqual(onceEach(tasks));
    await ticksSince(3);
    expect(await receivedBy(service, [dueSoon])).toEqual([]);
    expect(await receivedBy(service, tasks)).toEqual(onceEach(tasks));
    expect(await service.sql('select 1 from dead_letters')).toEqual([]);
  });

  it('the wrong ones log it, and work like the others', async () => {
    for (const replica of [1, 2]) {
      await waitUntil(async () => logs(replica).includes("this machine's clock differs"));
      await waitUntil(async () => logs(replica).includes('"msg":"job completed"'));
      expect(isRefused(replica)).toBe(false);
    }
    expect(logs(0).includes("this machine's clock differs")).toBe(false);
  });

  it('fire times stay those of the database', async () => {
    const rows = await service.sql<{ late: number }>(
      'select extract(epoch from create_time - fire_time)::float8 as late from schedule_runs where fire_time is not null',
    );
    expect(rows.every(({ late }) => late >= 0 && late < 60)).toBe(true);
  });
});

describe('a replica whose clock steps and is right again', () => {
  beforeAll(async () => {
    for (const clock of clocks) await clock.step(0);
  });

  it.each([
    ['two hours ahead', 2 * hour],
    ['two hours behind', -2 * hour],
    ['a year ahead', 8_760 * hour],
  ])('%s delays no notification, although it postponed jobs meanwhile', async (_name, byMs) => {
    await clocks[0].step(byMs);
    const created: Task[] = [];
    await service.cluster.kill('users', 'SIGTERM');
    const before = postponedBy(1);
    await waitUntil(
      async () => {
        created.push(...(await createOverdue(1)));
        return postponedBy(1);
      },
      (count) => count > before,
    );
    await clocks[0].step(0);
    await service.cluster.start('users');
    created.push(...(await createOverdue(5)));
    expect(await completed(service, created)).toEqual(onceEach(created));
    const runId = await service.sweep();
    await untilDone(service, runId);
    expect(isRefused(1)).toBe(false);
    expect(await service.sql('select 1 from dead_letters')).toEqual([]);
  });
});
