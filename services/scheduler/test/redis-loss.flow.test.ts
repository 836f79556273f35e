import { TaskStatus } from '#contract/tasks/v1/tasks';
import { afterAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '#dev/cluster';
import { anHourAgo, startSchedulerCluster } from './start-cluster.ts';
import { dueAt } from '../../tasks/test/due.ts';
import { untilDone, untilInbox, untilRows } from './waiting.ts';

const service = await startSchedulerCluster();
afterAll(service.stop);
const [ada, bob] = await Promise.all([service.newUser('Ada'), service.newUser('Bob')]);

const isServing = async () => (await fetch(`${service.cluster.httpAddress('scheduler')}/readyz`)).status === 200;

describe('invariant 2: while Redis is away', () => {
  it('tasks are created, sweeps can be asked for, and everything follows when it returns (D10, D11)', async () => {
    await service.redis.cut();
    // Redis stays away until both calls are answered.
    const task = await service.createTask(ada, { ...dueAt(anHourAgo()) });
    const runId = await service.sweep();
    expect(await isServing()).toBe(true);
    expect(await service.sql('select state from schedule_runs where id = $1', [runId])).toEqual([{ state: 'pending' }]);
    await service.redis.restore();
    await untilInbox(service, ada, ({ taskId }) => taskId === task.id);
    await untilDone(service, runId);
  });

  it('events become pending notifications, which survive that Redis comes back empty (E14)', async () => {
    const task = await service.createTask(ada, { assigneeId: bob.userId });
    await untilInbox(service, bob, 1);
    await service.redis.cut();
    await service.setStatus(bob, task.id, TaskStatus.COMPLETED);
    await untilRows(service, 1, "select 1 from notifications where state = 'pending'");
    await service.flushRedis();
    await service.redis.restore();
    await untilInbox(service, ada, ({ status }) => status === TaskStatus.COMPLETED);
  });
});

describe('invariant 2: after Redis has lost everything', () => {
  it('lost jobs are made again and counted, and schedules have not noticed (E14)', async () => {
    await service.sql(
      "update notifications set job_id = 'lost', enqueue_time = now() - interval '1 minute', state = 'pending', deliver_time = null",
    );
    await service.sql('delete from deliveries');
    await service.flushRedis();
    const fireTime = new Date(Date.now() - 1_000);
    await service.sql("update schedules set next_fire_time = $1 where id = 'overdue-sweep'", [fireTime]);
    await untilRows(service, 1, "select 1 from schedule_runs where fire_time = $1 and state = 'done'", [fireTime]);
    await untilRows(service, 0, "select 1 from notifications where state = 'pending'");
    expect((await service.inbox(ada)).length).toBeGreaterThan(0);
    await waitUntil(
      () => service.metric('taskflow_jobs_reconciled_total'),
      (count) => count > 0,
    );
  });
});
