import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { Task, TaskStatus } from '#contract/tasks/v1/tasks';
import { type NotificationChannel, User, UsersServiceService } from '#contract/users/v1/users';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '#libs/devcluster';
import { openPublicClient, type PublicClient } from '#libs/grpc';
import { anHourAgo, startSchedulerCluster, type SchedulerCluster, type TestUser } from './start-cluster.ts';

let service: SchedulerCluster;
let users: PublicClient<typeof UsersServiceService>;
beforeAll(async () => {
  // "Soon after" is as long as this machine needs for it.
  const TASKFLOW_SCHEDULER_DIGEST_QUIET_MS = '3600000';
  service = await startSchedulerCluster({ env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000', TASKFLOW_SCHEDULER_DIGEST_THRESHOLD: '5', TASKFLOW_SCHEDULER_DIGEST_QUIET_MS } });
  users = openPublicClient(UsersServiceService, service.cluster.address('users'));
});
afterAll(async () => {
  users?.close();
  await service?.stop();
});

const setChannels = (user: TestUser, channels: NotificationChannel[]) =>
  users.updateUser({ user: User.fromPartial({ id: user.userId, channels }), updateMask: ['channels'] }, user.as);
const setStatus = (user: TestUser, id: string, status: TaskStatus) =>
  service.tasks.updateTask({ task: Task.fromPartial({ id, status }), updateMask: ['status'] }, user.as);

const settled = () => until(() => service.sql("select 1 from notifications where state = 'pending'"), (rows) => rows.length === 0);
const overdueTasks = (user: TestUser, count: number) =>
  Promise.all(Array.from({ length: count }, (_, index) => service.createTask(user, { title: `task ${index}`, dueTime: anHourAgo() })));

async function sweepAll(user: TestUser, count: number): Promise<void> {
  await service.sweep();
  await until(() => service.sql('select 1 from notifications where recipient_id = $1', [user.userId]), (rows) => rows.length === count);
  await settled();
}

describe('a digest', () => {
  it('is one message for many tasks that became overdue together, and tells them when asked', async () => {
    const ada = await service.newUser('Ada');
    const created = await overdueTasks(ada, 12);
    await sweepAll(ada, created.length);
    expect(await service.inbox(ada)).toMatchObject([{ kind: NotificationKind.OVERDUE_DIGEST, digestSize: created.length }]);
    const [digest] = await service.inbox(ada);
    const { notifications } = await service.notifications.listNotifications({ digestId: digest?.id ?? '' }, ada.as);
    expect(new Set(notifications.map(({ taskId }) => taskId))).toEqual(new Set(created.map(({ id }) => id)));
    const outcomes = await service.sql('select outcome, count(*)::int as count from deliveries join notifications n on n.id = notification_id where recipient_id = $1 group by outcome', [ada.userId]);
    expect(outcomes).toEqual([{ outcome: 'digested', count: created.length }]);
  });

  it('is not made of few', async () => {
    const ada = await service.newUser('Ada');
    await sweepAll(ada, (await overdueTasks(ada, 5)).length);
    expect((await service.inbox(ada)).map(({ kind }) => kind)).toEqual(Array.from({ length: 5 }, () => NotificationKind.OVERDUE));
  });

  it('takes in what comes soon after, and is unread again then', async () => {
    const ada = await service.newUser('Ada');
    await sweepAll(ada, (await overdueTasks(ada, 6)).length);
    await service.notifications.markNotificationsRead({ all: true }, ada.as);
    await sweepAll(ada, 6 + (await overdueTasks(ada, 2)).length);
    expect(await service.inbox(ada)).toMatchObject([{ digestSize: 8, readTime: undefined }]);
  });
});

describe('the channels in a user\'s settings', () => {
  it('decide: what is muted is not delivered, and that is recorded', async () => {
    const ada = await service.newUser('Ada');
    await setChannels(ada, []);
    const [task] = await overdueTasks(ada, 1);
    await sweepAll(ada, 1);
    expect(await service.inbox(ada)).toEqual([]);
    expect(await service.sql('select state, channel, outcome from notifications n join deliveries on notification_id = n.id where task_id = $1', [task?.id])).toEqual([
      { state: 'muted', channel: 'inbox', outcome: 'muted' },
    ]);
    await service.chooseEmail(ada, true);
    const [next] = await overdueTasks(ada, 1);
    await sweepAll(ada, 2);
    expect((await service.inbox(ada)).map(({ taskId }) => taskId)).toEqual([next?.id]);
    expect(await service.sql('select channel, outcome from notifications n join deliveries on notification_id = n.id where task_id = $1 order by channel', [next?.id])).toEqual([
      { channel: 'email', outcome: 'unsupported' },
      { channel: 'inbox', outcome: 'delivered' },
    ]);
  });
});

describe('changes of one task', () => {
  it('are told in their order, whichever job comes first', async () => {
    const [ada, bob] = [await service.newUser('Ada'), await service.newUser('Bob')];
    const task = await service.createTask(ada, { assigneeId: bob.userId });
    await until(() => service.inbox(bob), (all) => all.length === 1);
    // The first change has a job that is lost: the one that was made with it does not find it under its new id.
    await service.sql(`create function lose_first() returns trigger language plpgsql as $$ begin
      if new.state = 'pending' and new.kind = 2 and new.task_version = 2 then new.id = uuidv7(); new.job_id = 'lost'; new.enqueue_time = now() + interval '1 hour'; end if; return new; end $$`);
    await service.sql('create trigger lose_first before insert on notifications for each row execute function lose_first()');
    await setStatus(bob, task.id, TaskStatus.IN_PROGRESS);
    await until(() => service.sql("select 1 from notifications where task_id = $1 and job_id = 'lost'", [task.id]), (rows) => rows.length === 1);
    await setStatus(bob, task.id, TaskStatus.PENDING);
    await setStatus(bob, task.id, TaskStatus.IN_PROGRESS);
    await until(() => service.sql('select 1 from notifications where task_id = $1 and task_version = 4', [task.id]), (rows) => rows.length === 1);
    await settled();
    await service.sql('drop trigger lose_first on notifications');
    const told = (await service.inbox(ada)).map(({ taskVersion }) => taskVersion);
    expect(told).toEqual([...told].sort((a, b) => Number(b - a)));
    expect(told[0]).toBe(4n);
    const order = await service.sql<{ task_version: string }>("select task_version from notifications where recipient_id = $1 and state = 'delivered' order by deliver_time, id", [ada.userId]);
    expect(order.map((row) => BigInt(row.task_version))).toEqual(told.toReversed());
  });

  it('do not take along what waits for its recipient\'s hour', async () => {
    const [ada, bob] = [await service.newUser('Ada'), await service.newUser('Bob')];
    await service.sql(`create function hold_overdue() returns trigger language plpgsql as $$ begin
      if new.state = 'pending' and new.kind = 1 then new.deliver_after = now() + interval '1 hour'; end if; return new; end $$`);
    await service.sql('create trigger hold_overdue before insert or update on notifications for each row execute function hold_overdue()');
    const dueDate = Temporal.Now.plainDateISO('UTC').subtract({ days: 1 }).toString();
    const task = await service.createTask(ada, { assigneeId: bob.userId, dueDate, dueZone: 'UTC' });
    await service.sweep();
    const overdue = () => service.sql<{ state: string }>('select state from notifications where task_id = $1 and recipient_id = $2 and kind = 1', [task.id, ada.userId]);
    await until(overdue, (rows) => rows.length === 1);
    await setStatus(bob, task.id, TaskStatus.IN_PROGRESS);
    expect(await until(() => service.inbox(ada), (all) => all.length > 0)).toMatchObject([{ kind: NotificationKind.STATUS_CHANGED }]);
    expect(await overdue()).toEqual([{ state: 'pending' }]);
    await service.sql('drop trigger hold_overdue on notifications');
    await service.sql("update notifications set deliver_after = now() where state = 'pending'");
    await until(() => service.inbox(ada), (all) => all.length === 2);
    await settled();
  });

  it('that come after a newer one was told are dropped', async () => {
    const [ada, bob] = [await service.newUser('Ada'), await service.newUser('Bob')];
    const task = await service.createTask(ada, { assigneeId: bob.userId });
    await setStatus(bob, task.id, TaskStatus.COMPLETED);
    await until(() => service.inbox(ada), (all) => all.length === 1);
    const copy = await service.sql<{ id: string }>(
      `insert into notifications (id, recipient_id, event_id, kind, task_id, task_title, due_version, task_version, previous_status, status, actor, call_id, trace_parent, event_time, state, create_time)
       select uuidv7(), recipient_id, -event_id, kind, task_id, task_title, due_version, task_version - 1, previous_status, status, actor, call_id, trace_parent, event_time, 'pending', now()
       from notifications where task_id = $1 and recipient_id = $2 and kind = 2 returning id`,
      [task.id, ada.userId],
    );
    await settled();
    expect(await service.sql('select state from notifications where id = $1', [copy[0]?.id])).toEqual([{ state: 'stale' }]);
  });
});
