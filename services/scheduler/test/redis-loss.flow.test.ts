import { Task, TaskStatus } from '#contract/tasks/v1/tasks';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '#libs/devcluster';
import { anHourAgo, startSchedulerCluster, type SchedulerCluster, type TestUser } from './start-cluster.ts';

let service: SchedulerCluster;
let ada: TestUser;
let bob: TestUser;
beforeAll(async () => {
  service = await startSchedulerCluster();
  [ada, bob] = await Promise.all([service.newUser('Ada'), service.newUser('Bob')]);
});
afterAll(() => service?.stop());

const isServing = async () => (await fetch(`${service.cluster.httpAddress('scheduler')}/readyz`)).status === 200;

describe('invariant 2: while Redis is away', () => {
  it('tasks are created, sweeps can be asked for, and everything follows when it returns (D10, D11)', async () => {
    await service.redis.cut();
    // Nobody waits for Redis: it stays away until both are answered.
    const task = await service.createTask(ada, { dueTime: anHourAgo() });
    const runId = await service.sweep();
    expect(await isServing()).toBe(true);
    expect(await service.sql('select state from schedule_runs where id = $1', [runId])).toEqual([{ state: 'pending' }]);
    await service.redis.restore();
    await until(() => service.inbox(ada), (all) => all.some(({ taskId }) => taskId === task.id));
    await until(() => service.sql<{ state: string }>('select state from schedule_runs where id = $1', [runId]), ([run]) => run?.state === 'done');
  });

  it('events become pending notifications, which survive that Redis comes back empty (E14)', async () => {
    const task = await service.createTask(ada, { assigneeId: bob.userId });
    await until(() => service.inbox(bob), (all) => all.length === 1);
    await service.redis.cut();
    await service.tasks.updateTask({ task: Task.fromPartial({ id: task.id, status: TaskStatus.COMPLETED }), updateMask: ['status'] }, bob.as);
    await until(() => service.sql("select 1 from notifications where state = 'pending'"), (rows) => rows.length === 1);
    await service.flushRedis();
    await service.redis.restore();
    await until(() => service.inbox(ada), (all) => all.some(({ status }) => status === TaskStatus.COMPLETED));
  });
});

describe('invariant 2: after Redis has lost everything', () => {
  it('lost jobs are made again and counted, and schedules have not noticed (E14)', async () => {
    await service.sql("update notifications set job_id = 'lost', enqueue_time = now() - interval '1 minute', state = 'pending', deliver_time = null");
    await service.sql('delete from deliveries');
    await service.flushRedis();
    const fireTime = new Date(Date.now() - 1_000);
    await service.sql("update schedules set next_fire_time = $1 where id = 'overdue-sweep'", [fireTime]);
    await until(() => service.sql("select 1 from schedule_runs where fire_time = $1 and state = 'done'", [fireTime]), (rows) => rows.length === 1);
    await until(() => service.sql("select 1 from notifications where state = 'pending'"), (rows) => rows.length === 0);
    expect((await service.inbox(ada)).length).toBeGreaterThan(0);
    await until(() => service.metric('taskflow_jobs_reconciled_total'), (count) => count > 0);
  });
});
