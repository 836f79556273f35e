import { toColumnName } from '#libs/db';
import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { Task, TaskStatus } from '#contract/tasks/v1/tasks';
import { afterAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '#dev/cluster';
import { anHourAgo, startSchedulerCluster, type TestUser } from './start-cluster.ts';
import { dueAt } from '../../tasks/test/due.ts';
import { untilDone, untilInbox } from './waiting.ts';

let ada: TestUser;
let bob: TestUser;
const service = await startSchedulerCluster();
afterAll(service.stop);

async function newPair(): Promise<void> {
  [ada, bob] = await Promise.all([service.newUser('Ada'), service.newUser('Bob')]);
}

const update = (user: TestUser, id: string, fields: Partial<Task>) =>
  service.tasks.updateTask(
    {
      task: Task.fromPartial({ id, ...fields }),
      updateMask: Object.keys(fields).map((name) => (name === 'due' ? 'due_time' : toColumnName(name))),
    },
    user.as,
  );

/** While it is locked, no event becomes a notification. */
const lockNotifications = () => service.lockTable('notifications');

describe('an overdue task', () => {
  it("reaches its owner and its assignee, with the task's title and due time (D7)", async () => {
    await newPair();
    const dueTime = anHourAgo();
    const task = await service.createTask(ada, { title: 'Pay the rent', ...dueAt(dueTime), assigneeId: bob.userId });
    const runId = await service.sweep();
    const expected = {
      kind: NotificationKind.OVERDUE,
      taskId: task.id,
      taskTitle: 'Pay the rent',
      dueTime,
      actor: 'service:scheduler',
    };
    const overdueOf = (user: TestUser) =>
      waitUntil(
        async () => (await service.inbox(user)).filter(({ kind }) => kind === NotificationKind.OVERDUE),
        (all) => all.length > 0,
      );
    expect(await overdueOf(ada)).toMatchObject([expected]);
    expect(await overdueOf(bob)).toMatchObject([expected]);
    // The run ends once nothing is due any more, which may be after the last delivery.
    await untilDone(service, runId);
  });

  it('is delivered once for each due version, however often it is swept and whatever Redis loses (E4, D8)', async () => {
    await newPair();
    const task = await service.createTask(ada, { ...dueAt(anHourAgo()) });
    await service.sweep();
    expect(await service.completedInbox(ada)).toHaveLength(1);
    await service.sweep();
    await service.flushRedis();
    expect(await service.completedInbox(ada)).toHaveLength(1);
    const dueTime = new Date(Date.now() - 60_000);
    await update(ada, task.id, { ...dueAt(dueTime) });
    await service.sweep();
    const all = await service.completedInbox(ada);
    expect(all.map((notification) => notification.dueTime)).toEqual([dueTime, task.effectiveDueTime]);
  });

  it('that was completed before the delivery is not delivered, and counted as stale', async () => {
    await newPair();
    const stale = await service.metric('taskflow_notifications_stale_total');
    const lock = await lockNotifications();
    const task = await service.createTask(ada, { ...dueAt(anHourAgo()) });
    const runId = await service.sweep();
    await untilDone(service, runId);
    await update(ada, task.id, { status: TaskStatus.COMPLETED });
    await lock.release();
    expect(await service.completedInbox(ada)).toEqual([]);
    expect(await service.sql('select state from notifications where task_id = $1', [task.id])).toEqual([
      { state: 'stale' },
    ]);
    // Counted after the commit.
    expect(
      await waitUntil(
        () => service.metric('taskflow_notifications_stale_total'),
        (count) => count > stale,
      ),
    ).toBe(stale + 1);
  });
});

describe('a change by another user', () => {
  it('is delivered to the owner and the assignee, and never to the one who made it', async () => {
    await newPair();
    const task = await service.createTask(ada, { title: 'Paint the fence', assigneeId: bob.userId });
    await untilInbox(service, bob, 1);
    await update(bob, task.id, { status: TaskStatus.IN_PROGRESS });
    expect(await service.completedInbox(ada)).toMatchObject([
      {
        kind: NotificationKind.STATUS_CHANGED,
        taskId: task.id,
        previousStatus: TaskStatus.PENDING,
        status: TaskStatus.IN_PROGRESS,
        actor: bob.userId,
      },
    ]);
    expect(await service.completedInbox(bob)).toMatchObject([
      { kind: NotificationKind.ASSIGNED, taskId: task.id, taskTitle: 'Paint the fence', actor: ada.userId },
    ]);
  });

  it('is dropped when a newer one came before its delivery (D12)', async () => {
    await newPair();
    const task = await service.createTask(ada, { assigneeId: bob.userId });
    await untilInbox(service, bob, 1);
    const lock = await lockNotifications();
    await update(bob, task.id, { status: TaskStatus.IN_PROGRESS });
    await update(bob, task.id, { status: TaskStatus.COMPLETED });
    await lock.release();
    expect((await service.completedInbox(ada)).map(({ status }) => status)).toEqual([TaskStatus.COMPLETED]);
  });
});

describe('the inbox', () => {
  it("is the caller's own, in pages without loss or repetition", async () => {
    await newPair();
    const created = await service.createOverdue(ada, 23);
    await service.sweep();
    await untilInbox(service, ada, created.length);
    expect(new Set((await service.inbox(ada)).map(({ taskId }) => taskId))).toEqual(
      new Set(created.map(({ id }) => id)),
    );
    expect(await service.inbox(bob)).toEqual([]);
  });
});
