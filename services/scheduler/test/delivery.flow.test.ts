import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { TaskStatus } from '#contract/tasks/v1/tasks';
import { afterAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '#dev/cluster';
import { startSchedulerCluster, type TestUser } from './start-cluster.ts';
import { dueOn } from '../../tasks/test/due.ts';
import { untilInbox, untilRows } from './waiting.ts';
import { addNotification } from './rows.ts';

// "Soon after" is as long as this machine needs for it.
const TASKFLOW_SCHEDULER_DIGEST_QUIET_MS = '3600000';
const service = await startSchedulerCluster({
  env: {
    TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000',
    TASKFLOW_SCHEDULER_DIGEST_THRESHOLD: '5',
    TASKFLOW_SCHEDULER_DIGEST_QUIET_MS,
  },
});
afterAll(service.stop);

const completed = () => untilRows(service, 0, "select 1 from notifications where state = 'pending'");
async function sweepAll(user: TestUser, count: number): Promise<void> {
  await service.sweep();
  await untilRows(service, count, 'select 1 from notifications where recipient_id = $1', [user.userId]);
  await completed();
}

describe('a digest', () => {
  it('is one message for many tasks that became overdue together, and lists them on request', async () => {
    const ada = await service.newUser('Ada');
    const created = await service.createOverdue(ada, 12);
    await sweepAll(ada, created.length);
    expect(await service.inbox(ada)).toMatchObject([
      { kind: NotificationKind.OVERDUE_DIGEST, digestTaskCount: created.length },
    ]);
    const [digest] = await service.inbox(ada);
    const { notifications } = await service.notifications.listNotifications({ digestId: digest?.id ?? '' }, ada.as);
    expect(new Set(notifications.map(({ taskId }) => taskId))).toEqual(new Set(created.map(({ id }) => id)));
    const outcomes = await service.sql(
      'select outcome, count(*)::int as count from deliveries join notifications n on n.id = notification_id where recipient_id = $1 group by outcome',
      [ada.userId],
    );
    expect(outcomes).toEqual([{ outcome: 'digested', count: created.length }]);
  });

  it('is not made for few tasks', async () => {
    const ada = await service.newUser('Ada');
    await sweepAll(ada, (await service.createOverdue(ada, 5)).length);
    expect((await service.inbox(ada)).map(({ kind }) => kind)).toEqual(
      Array.from({ length: 5 }, () => NotificationKind.OVERDUE),
    );
  });

  it('takes in later tasks, and is unread again then', async () => {
    const ada = await service.newUser('Ada');
    await sweepAll(ada, (await service.createOverdue(ada, 6)).length);
    await service.notifications.markNotificationsRead(
      { selection: { $case: 'all', value: { deliverEndTime: undefined } } },
      ada.as,
    );
    await sweepAll(ada, 6 + (await service.createOverdue(ada, 2)).length);
    expect(await service.inbox(ada)).toMatchObject([{ digestTaskCount: 8, readTime: undefined }]);
  });
});

describe("the channels in a user's settings", () => {
  it('decide about the delivery: a muted channel gets nothing, and that is recorded', async () => {
    const ada = await service.newUser('Ada');
    await service.choose(ada, { channels: [] });
    const [task] = await service.createOverdue(ada, 1);
    await sweepAll(ada, 1);
    expect(await service.inbox(ada)).toEqual([]);
    expect(
      await service.sql(
        'select state, channel, outcome from notifications n join deliveries on notification_id = n.id where task_id = $1',
        [task?.id],
      ),
    ).toEqual([{ state: 'muted', channel: 'inbox', outcome: 'muted' }]);
    await service.chooseEmail(ada, true);
    const [next] = await service.createOverdue(ada, 1);
    await sweepAll(ada, 2);
    expect((await service.inbox(ada)).map(({ taskId }) => taskId)).toEqual([next?.id]);
    expect(
      await service.sql(
        'select channel, outcome from notifications n join deliveries on notification_id = n.id where task_id = $1 order by channel',
        [next?.id],
      ),
    ).toEqual([
      { channel: 'email', outcome: 'unsupported' },
      { channel: 'inbox', outcome: 'delivered' },
    ]);
  });
});

describe('changes of one task', () => {
  it('are delivered in their order, whichever job runs first', async () => {
    const [ada, bob] = [await service.newUser('Ada'), await service.newUser('Bob')];
    const task = await service.createTask(ada, { assigneeId: bob.userId });
    await untilInbox(service, bob, 1);
    // The first change has a job that is lost: the one that was made with it does not find it under its new id.
    await service.sql(`create function lose_first() returns trigger language plpgsql as $$ begin
      if new.state = 'pending' and new.kind = 2 and new.task_version = 2 then new.id = uuidv7(); new.job_id = 'lost'; new.enqueue_time = now() + interval '1 hour'; end if; return new; end $$`);
    await service.sql(
      'create trigger lose_first before insert on notifications for each row execute function lose_first()',
    );
    await service.setStatus(bob, task.id, TaskStatus.IN_PROGRESS);
    await untilRows(service, 1, "select 1 from notifications where task_id = $1 and job_id = 'lost'", [task.id]);
    await service.setStatus(bob, task.id, TaskStatus.PENDING);
    await service.setStatus(bob, task.id, TaskStatus.IN_PROGRESS);
    await untilRows(service, 1, 'select 1 from notifications where task_id = $1 and task_version = 4', [task.id]);
    await completed();
    await service.sql('drop trigger lose_first on notifications');
    const versions = (await service.inbox(ada)).map(({ taskVersion }) => taskVersion);
    expect(versions).toEqual([...versions].sort((a, b) => Number(b - a)));
    expect(versions[0]).toBe(4n);
    const order = await service.sql<{ task_version: string }>(
      "select task_version from notifications where recipient_id = $1 and state = 'delivered' order by deliver_time, id",
      [ada.userId],
    );
    expect(order.map((row) => BigInt(row.task_version))).toEqual(versions.toReversed());
  });

  it("do not deliver a notification early that waits for its recipient's hour", async () => {
    const [ada, bob] = [await service.newUser('Ada'), await service.newUser('Bob')];
    await service.sql(`create function hold_overdue() returns trigger language plpgsql as $$ begin
      if new.state = 'pending' and new.kind = 1 then new.deliver_after = now() + interval '1 hour'; end if; return new; end $$`);
    await service.sql(
      'create trigger hold_overdue before insert or update on notifications for each row execute function hold_overdue()',
    );
    const dueDate = Temporal.Now.plainDateISO('UTC').subtract({ days: 1 }).toString();
    const task = await service.createTask(ada, { assigneeId: bob.userId, ...dueOn(dueDate, 'UTC') });
    await service.sweep();
    const overdue = () =>
      service.sql<{ state: string }>(
        'select state from notifications where task_id = $1 and recipient_id = $2 and kind = 1',
        [task.id, ada.userId],
      );
    await waitUntil(overdue, (rows) => rows.length === 1);
    await service.setStatus(bob, task.id, TaskStatus.IN_PROGRESS);
    expect(
      await waitUntil(
        () => service.inbox(ada),
        (all) => all.length > 0,
      ),
    ).toMatchObject([{ kind: NotificationKind.STATUS_CHANGED }]);
    expect(await overdue()).toEqual([{ state: 'pending' }]);
    await service.sql('drop trigger hold_overdue on notifications');
    await service.sql("update notifications set deliver_after = now() where state = 'pending'");
    await untilInbox(service, ada, 2);
    await completed();
  });

  it('are dropped after a newer one was delivered', async () => {
    const [ada, bob] = [await service.newUser('Ada'), await service.newUser('Bob')];
    const task = await service.createTask(ada, { assigneeId: bob.userId });
    await service.setStatus(bob, task.id, TaskStatus.COMPLETED);
    await untilInbox(service, ada, 1);
    const late = await addNotification(service, {
      recipientId: ada.userId,
      kind: NotificationKind.STATUS_CHANGED,
      taskId: task.id,
      taskVersion: 1n,
    });
    await completed();
    expect(await service.sql('select state from notifications where id = $1', [late])).toEqual([{ state: 'stale' }]);
  });
});
