import { NotificationKind, Webhook, WebhookDeliveryState } from '#contract/scheduler/v1/notifications';
import { Task, TaskStatus } from '#contract/tasks/v1/tasks';
import { NotificationChannel, User, UsersServiceService } from '#contract/users/v1/users';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '#libs/devcluster';
import { openPublicClient, type PublicClient } from '#libs/grpc';
import { answering, startReceiver, verify, type Receiver } from './receiver.ts';
import { anHourAgo, startSchedulerCluster, type SchedulerCluster, type TestUser } from './start-cluster.ts';

let service: SchedulerCluster;
let users: PublicClient<typeof UsersServiceService>;
let receiver: Receiver;
let ada: TestUser;
let bob: TestUser;
let secret: string;
let webhookId: string;

beforeAll(async () => {
  service = await startSchedulerCluster({
    env: {
      TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000',
      TASKFLOW_SCHEDULER_DIGEST_THRESHOLD: '5',
      TASKFLOW_SCHEDULER_DIGEST_QUIET_MS: '1000',
      TASKFLOW_SCHEDULER_WEBHOOK_PRIVATE_TARGETS: '127.0.0.0/8',
      TASKFLOW_SCHEDULER_WEBHOOK_RETRY_MS: '200',
    },
  });
  users = openPublicClient(UsersServiceService, service.cluster.address('users'));
  receiver = await startReceiver('127.0.0.1');
});
afterAll(async () => {
  await receiver?.close();
  users?.close();
  await service?.stop();
});

beforeEach(async () => {
  [ada, bob] = await Promise.all([service.newUser('Ada'), service.newUser('Bob')]);
  await users.updateUser({ user: User.fromPartial({ id: ada.userId, channels: [NotificationChannel.INBOX, NotificationChannel.WEBHOOK] }), updateMask: ['channels'] }, ada.as);
  const created = await service.notifications.createWebhook({ webhook: Webhook.fromPartial({ url: receiver.url }) }, ada.as);
  [secret, webhookId] = [created.secret, created.webhook?.id ?? ''];
  receiver.behave(answering(204));
  receiver.received.length = 0;
});

const setStatus = async (id: string, status: TaskStatus): Promise<void> => {
  await service.tasks.updateTask({ task: Task.fromPartial({ id, status }), updateMask: ['status'] }, bob.as);
};
const log = async () => (await service.notifications.listWebhookDeliveries({ webhookId }, ada.as)).deliveries;
const arrived = () => receiver.received.map(({ message: { type, data } }) => [type, data['task_version']]);
/** Until every change so far has become a notification and left `pending`. */
const told = (taskId: string, count: number) =>
  until(() => service.sql("select 1 from notifications where task_id = $1 and recipient_id = $2 and state <> 'pending'", [taskId, ada.userId]), (rows) => rows.length === count);

describe('a change of status', () => {
  it('reaches the webhook and the inbox, signed, and says what happened', async () => {
    const task = await service.createTask(ada, { title: 'Paint the fence', assigneeId: bob.userId });
    await setStatus(task.id, TaskStatus.IN_PROGRESS);
    await until(async () => receiver.received.length, (count) => count === 1);
    const [received] = receiver.received;
    if (received === undefined) throw new Error('nothing came');
    verify(received, secret);
    const [notification] = await service.inbox(ada);
    expect(received.message).toEqual({
      type: 'task.status_changed',
      timestamp: notification?.eventTime?.toISOString(),
      data: {
        notification_id: notification?.id,
        recipient_id: ada.userId,
        task_id: task.id,
        task_version: '2',
        task_title: 'Paint the fence',
        actor: bob.userId,
        previous_status: TaskStatus.PENDING,
        status: TaskStatus.IN_PROGRESS,
      },
    });
    expect(await service.sql('select channel, outcome from deliveries where notification_id = $1 order by channel', [notification?.id])).toEqual([
      { channel: 'inbox', outcome: 'delivered' },
      { channel: 'webhook', outcome: 'queued' },
    ]);
  });

  it('waits for the change before it, also when that one has to be tried again and Redis forgets everything', async () => {
    receiver.behave(answering(500));
    const task = await service.createTask(ada, { assigneeId: bob.userId });
    await setStatus(task.id, TaskStatus.IN_PROGRESS);
    await told(task.id, 1);
    await setStatus(task.id, TaskStatus.COMPLETED);
    await told(task.id, 2);
    await until(async () => receiver.received.length, (count) => count >= 3);
    expect(new Set(receiver.received.map(({ message }) => message.data['task_version']))).toEqual(new Set(['2']));
    await service.flushRedis();
    receiver.behave(answering(204));
    const before = receiver.received.length;
    await until(() => log(), (all) => all.length === 2 && all.every(({ state }) => state === WebhookDeliveryState.DELIVERED));
    expect(arrived().slice(before)).toEqual([['task.status_changed', '2'], ['task.status_changed', '3']]);
  });

  it('goes to nobody who has muted webhooks', async () => {
    await users.updateUser({ user: User.fromPartial({ id: ada.userId, channels: [NotificationChannel.INBOX] }), updateMask: ['channels'] }, ada.as);
    const task = await service.createTask(ada, { assigneeId: bob.userId });
    await setStatus(task.id, TaskStatus.IN_PROGRESS);
    await told(task.id, 1);
    expect(await service.sql('select channel, outcome from deliveries d join notifications n on n.id = d.notification_id where task_id = $1 and recipient_id = $2 order by channel', [task.id, ada.userId])).toEqual([
      { channel: 'inbox', outcome: 'delivered' },
      { channel: 'webhook', outcome: 'muted' },
    ]);
    expect(await log()).toEqual([]);
  });
});

describe('an overdue task', () => {
  it('that was completed while its endpoint failed is not sent any more', async () => {
    receiver.behave(answering(500));
    const task = await service.createTask(ada, { dueTime: anHourAgo() });
    await service.sweep();
    await until(async () => receiver.received.length, (count) => count > 0);
    await service.tasks.updateTask({ task: Task.fromPartial({ id: task.id, status: TaskStatus.COMPLETED }), updateMask: ['status'] }, ada.as);
    receiver.behave((answer, request) => answering(request.message.type === 'task.overdue' ? 500 : 204)(answer, request));
    expect(await until(() => log(), ([one]) => one?.state === WebhookDeliveryState.STALE)).toMatchObject([{ type: 'task.overdue', taskId: task.id }]);
  });

  it('among many comes as one digest with their number', async () => {
    await Promise.all(Array.from({ length: 12 }, (_, index) => service.createTask(ada, { title: `task ${index}`, dueTime: anHourAgo() })));
    await service.sweep();
    await until(async () => receiver.received.length, (count) => count > 0);
    expect(receiver.received.map(({ message }) => message)).toMatchObject([{ type: 'tasks.overdue_digest', data: { count: 12 } }]);
    const [digest] = await service.inbox(ada);
    expect(digest).toMatchObject({ kind: NotificationKind.OVERDUE_DIGEST, id: receiver.received[0]?.message.data['notification_id'] });
  });
});
