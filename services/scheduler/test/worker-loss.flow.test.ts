import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '#libs/devcluster';
import { Client } from 'pg';
import { anHourAgo, startSchedulerCluster, type SchedulerCluster } from './start-cluster.ts';

let service: SchedulerCluster;
beforeAll(async () => {
  service = await startSchedulerCluster({ replicas: { scheduler: 2 }, env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '1000' } });
});
afterAll(() => service?.stop());

/** The runs, of any schedule, whose jobs a replica has done so far. */
const ended = (replica: number) => service.cluster.logs('scheduler', replica).split('\n').filter((line) => line.includes('"run-schedule"') && line.includes('job completed')).length;

describe('two replicas', () => {
  it('share one tick for each interval (E7, D34)', async () => {
    await until(() => service.sql("select 1 from schedule_runs where schedule_id = 'overdue-sweep' and state = 'done'"), (rows) => rows.length >= 6);
    // Each job is done before it shows in a log, and recorded before it is done.
    const jobs = ended(0) + ended(1);
    const runs = await service.sql<{ schedule_id: string; fire_time: Date | null }>('select schedule_id, fire_time from schedule_runs order by fire_time');
    const ticks = runs.flatMap((run) => (run.schedule_id === 'overdue-sweep' && run.fire_time !== null ? [run.fire_time.getTime()] : []));
    const gaps = ticks.slice(1).map((tick, index) => tick - (ticks[index] as number));
    // A second set of ticks would fall in between, and two jobs for a tick would show as one end too many.
    expect(gaps.filter((gapMs) => gapMs % 1_000 !== 0 || gapMs === 0)).toEqual([]);
    expect(ticks.length).toBeGreaterThanOrEqual(6);
    expect(jobs).toBeLessThanOrEqual(runs.length);
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
    const before = ended(0);
    await until(async () => ended(0), (count) => count > before);
  });
});
