import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { Task, TaskStatus } from '#contract/tasks/v1/tasks';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '#libs/devcluster';
import { Client } from 'pg';
import { anHourAgo, startSchedulerCluster, type SchedulerCluster, type TestUser } from './start-cluster.ts';

let service: SchedulerCluster;
let ada: TestUser;
let bob: TestUser;
beforeAll(async () => {
  service = await startSchedulerCluster();
});
afterAll(() => service?.stop());

async function newPair(): Promise<void> {
  [ada, bob] = await Promise.all([service.newUser('Ada'), service.newUser('Bob')]);
}

const update = (user: TestUser, id: string, fields: Partial<Task>) =>
  service.tasks.updateTask({ task: Task.fromPartial({ id, ...fields }), updateMask: Object.keys(fields).map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)) }, user.as);

/** While it is held, no event becomes a notification. */
async function holdNotifications(): Promise<{ release(): Promise<void> }> {
  const connection = new Client({ connectionString: service.cluster.databaseUrl('scheduler') });
  await connection.connect();
  await connection.query('begin');
  await connection.query('lock table notifications in share row exclusive mode');
  return { release: () => connection.end() };
}

describe('an overdue task', () => {
  it('really reaches its owner and its assignee, with what it was about (D7)', async () => {
    await newPair();
    const dueTime = anHourAgo();
    const task = await service.createTask(ada, { title: 'Pay the rent', dueTime, assigneeId: bob.userId });
    const runId = await service.sweep();
    const expected = { kind: NotificationKind.OVERDUE, taskId: task.id, taskTitle: 'Pay the rent', dueTime, actor: 'service:scheduler' };
    const overdueOf = (user: TestUser) => until(async () => (await service.inbox(user)).filter(({ kind }) => kind === NotificationKind.OVERDUE), (all) => all.length > 0);
    expect(await overdueOf(ada)).toMatchObject([expected]);
    expect(await overdueOf(bob)).toMatchObject([expected]);
    // It ends once nothing is due any more, which may be after the last was told.
    await until(() => service.sql<{ state: string }>('select state from schedule_runs where id = $1', [runId]), ([run]) => run?.state === 'done');
  });

  it('is told once for each due version, however often it is swept and whatever Redis forgets (E4, D8)', async () => {
    await newPair();
    const task = await service.createTask(ada, { dueTime: anHourAgo() });
    await service.sweep();
    expect(await service.settledInbox(ada)).toHaveLength(1);
    await service.sweep();
    await service.flushRedis();
    expect(await service.settledInbox(ada)).toHaveLength(1);
    const dueTime = new Date(Date.now() - 60_000);
    await update(ada, task.id, { dueTime });
    await service.sweep();
    const all = await service.settledInbox(ada);
    expect(all.map((notification) => notification.dueTime)).toEqual([dueTime, task.dueTime]);
  });

  it('that was completed before the delivery is not told, and counted as stale', async () => {
    await newPair();
    const stale = await service.metric('taskflow_notifications_stale_total');
    const hold = await holdNotifications();
    const task = await service.createTask(ada, { dueTime: anHourAgo() });
    const runId = await service.sweep();
    await until(() => service.sql<{ state: string }>('select state from schedule_runs where id = $1', [runId]), ([run]) => run?.state === 'done');
    await update(ada, task.id, { status: TaskStatus.COMPLETED });
    await hold.release();
    expect(await service.settledInbox(ada)).toEqual([]);
    expect(await service.sql('select state from notifications where task_id = $1', [task.id])).toEqual([{ state: 'stale' }]);
    // Counted after the commit.
    expect(await until(() => service.metric('taskflow_notifications_stale_total'), (count) => count > stale)).toBe(stale + 1);
  });
});

describe('a change by somebody else', () => {
  it('is told to the owner and the assignee, and never to the one who made it', async () => {
    await newPair();
    const task = await service.createTask(ada, { title: 'Paint the fence', assigneeId: bob.userId });
    await until(() => service.inbox(bob), (all) => all.length === 1);
    await update(bob, task.id, { status: TaskStatus.IN_PROGRESS });
    expect(await service.settledInbox(ada)).toMatchObject([
      { kind: NotificationKind.STATUS_CHANGED, taskId: task.id, previousStatus: TaskStatus.PENDING, status: TaskStatus.IN_PROGRESS, actor: bob.userId },
    ]);
    expect(await service.settledInbox(bob)).toMatchObject([{ kind: NotificationKind.ASSIGNED, taskId: task.id, taskTitle: 'Paint the fence', actor: ada.userId }]);
  });

  it('is dropped when a newer one came before its delivery (D12)', async () => {
    await newPair();
    const task = await service.createTask(ada, { assigneeId: bob.userId });
    await until(() => service.inbox(bob), (all) => all.length === 1);
    const hold = await holdNotifications();
    await update(bob, task.id, { status: TaskStatus.IN_PROGRESS });
    await update(bob, task.id, { status: TaskStatus.COMPLETED });
    await hold.release();
    expect((await service.settledInbox(ada)).map(({ status }) => status)).toEqual([TaskStatus.COMPLETED]);
  });
});

describe('the inbox', () => {
  it('is the caller\'s own, in pages without loss or repetition', async () => {
    await newPair();
    const created = await Promise.all(Array.from({ length: 23 }, (_, index) => service.createTask(ada, { title: `task ${index}`, dueTime: anHourAgo() })));
    await service.sweep();
    await until(() => service.inbox(ada), (all) => all.length === created.length);
    expect(new Set((await service.inbox(ada)).map(({ taskId }) => taskId))).toEqual(new Set(created.map(({ id }) => id)));
    expect(await service.inbox(bob)).toEqual([]);
  });
});
