import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '#libs/devcluster';
import { Client } from 'pg';
import { anHourAgo, startSchedulerCluster, type SchedulerCluster } from './start-cluster.ts';

let service: SchedulerCluster;
beforeAll(async () => {
  service = await startSchedulerCluster({ replicas: { scheduler: 2 }, env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '1000' } });
}, 120_000);
afterAll(() => service?.stop(), 60_000);

/** The ticks that a replica has done so far. */
const ticks = (replica: number) => service.cluster.logs('scheduler', replica).split('\n').filter((line) => line.includes('"run-schedule"') && line.includes('job completed')).length;

describe('two replicas', () => {
  it('share one tick for each interval (E7, D34)', async () => {
    const before = ticks(0) + ticks(1);
    const startedAt = Date.now();
    const after = await until(async () => ticks(0) + ticks(1), (count) => count >= before + 5);
    // One more than whole intervals fits in between; two sets of ticks would need half of the time.
    expect(Date.now() - startedAt).toBeGreaterThan((after - before - 2) * 1_000);
  });

  it('deliver once what one of them had begun when it was killed, and go on ticking (E13)', async () => {
    const ada = await service.newUser('Ada');
    const hold = new Client({ connectionString: service.cluster.databaseUrl('scheduler') });
    await hold.connect();
    await hold.query('begin');
    await hold.query('lock table deliveries in share row exclusive mode');
    const created = await Promise.all(Array.from({ length: 5 }, () => service.createTask(ada, { dueTime: anHourAgo() })));
    // Deliveries have begun and wait for the lock.
    await until(() => service.sql("select 1 from pg_locks where relation = 'deliveries'::regclass and not granted"), (rows) => rows.length > 0);
    await service.cluster.kill('scheduler', 'SIGKILL', 1);
    await hold.end();
    await until(() => service.inbox(ada), (all) => all.length === created.length);
    expect(new Set((await service.inbox(ada)).map(({ taskId }) => taskId))).toEqual(new Set(created.map(({ id }) => id)));
    expect(await service.sql('select outcome, count(*)::int as count from deliveries group by outcome')).toEqual([{ outcome: 'delivered', count: created.length }]);
    const before = ticks(0);
    await until(async () => ticks(0), (count) => count > before);
  }, 120_000);
});
