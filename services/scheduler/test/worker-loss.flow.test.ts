import { afterAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '#dev/cluster';
import { startSchedulerCluster } from './start-cluster.ts';
import { untilInbox } from './waiting.ts';

const service = await startSchedulerCluster({
  replicas: { scheduler: 2 },
  env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '1000' },
});
afterAll(service.stop);

/** How many runs, of any schedule, a replica has completed. */
const ended = (replica: number) =>
  service.cluster
    .logs('scheduler', replica)
    .split('\n')
    .filter((line) => line.includes('"run-schedule"') && line.includes('job completed')).length;

describe('two replicas', () => {
  it('share one tick for each interval (E7, D34)', async () => {
    await waitUntil(
      () => service.sql("select 1 from schedule_runs where schedule_id = 'overdue-sweep' and state = 'done'"),
      (rows) => rows.length >= 6,
    );
    // Each job is done before it shows in a log, and recorded before it is done.
    const jobs = ended(0) + ended(1);
    const runs = await service.sql<{ schedule_id: string; fire_time: Date | null }>(
      'select schedule_id, fire_time from schedule_runs order by fire_time',
    );
    const ticks = runs.flatMap((run) =>
      run.schedule_id === 'overdue-sweep' && run.fire_time !== null ? [run.fire_time.getTime()] : [],
    );
    const gaps = ticks.slice(1).map((tick, index) => tick - (ticks[index] as number));
    // A second set of ticks would lie between these, and two jobs for a tick would exceed the number of runs.
    expect(gaps.filter((gapMs) => gapMs % 1_000 !== 0 || gapMs === 0)).toEqual([]);
    expect(ticks.length).toBeGreaterThanOrEqual(6);
    expect(jobs).toBeLessThanOrEqual(runs.length);
  });

  it('deliver once what one of them had begun when it was killed, and continue ticking (E13)', async () => {
    const ada = await service.newUser('Ada');
    const lock = await service.lockTable('deliveries');
    const created = await service.createOverdue(ada, 5);
    // Deliveries have begun and wait for the lock.
    await waitUntil(
      () => service.sql("select 1 from pg_locks where relation = 'deliveries'::regclass and not granted"),
      (rows) => rows.length > 0,
    );
    await service.cluster.kill('scheduler', 'SIGKILL', 1);
    await lock.release();
    await untilInbox(service, ada, created.length);
    expect(new Set((await service.inbox(ada)).map(({ taskId }) => taskId))).toEqual(
      new Set(created.map(({ id }) => id)),
    );
    expect(await service.sql('select outcome, count(*)::int as count from deliveries group by outcome')).toEqual([
      { outcome: 'delivered', count: created.length },
    ]);
    const before = ended(0);
    await waitUntil(async () => ended(0) > before);
  });
});
