import {
  NotificationKind,
  Webhook,
  WebhookDeliveryState,
  WebhookMessageType,
} from '#contract/scheduler/v1/notifications';
import { TaskStatus } from '#contract/tasks/v1/tasks';
import { NotificationChannel } from '#contract/users/v1/users';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { waitUntil } from '#dev/cluster';
import { answering, startReceiver, verify } from '#dev/testing';
import { anHourAgo, startSchedulerCluster, type TestUser } from './start-cluster.ts';
import { dueAt } from '../../tasks/test/due.ts';
import { untilRows } from './waiting.ts';

let ada: TestUser;
let bob: TestUser;
let secret: string;
let webhookId: string;
const service = await startSchedulerCluster({
  env: {
    TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000',
    TASKFLOW_SCHEDULER_DIGEST_THRESHOLD: '5',
    TASKFLOW_SCHEDULER_DIGEST_QUIET_MS: '1000',
    TASKFLOW_SCHEDULER_WEBHOOK_PRIVATE_TARGETS: '127.0.0.0/8',
    TASKFLOW_SCHEDULER_WEBHOOK_RETRY_MS: '200',
  },
});
const receiver = await startReceiver('127.0.0.1');
afterAll(async () => {
  await receiver.close();
  await service.stop();
});

beforeEach(async () => {
  [ada, bob] = await Promise.all([service.newUser('Ada'), service.newUser('Bob')]);
  await service.choose(ada, { channels: [NotificationChannel.INBOX, NotificationChannel.WEBHOOK] });
  const created = await service.notifications.createWebhook(
    { webhook: Webhook.fromPartial({ url: receiver.url }) },
    ada.as,
  );
  [secret, webhookId] = [created.secret, created.webhook?.id ?? ''];
  receiver.behave(answering(204));
  receiver.received.length = 0;
});

const log = async () => (await service.notifications.listWebhookDeliveries({ webhookId }, ada.as)).deliveries;
const arrived = () => receiver.received.map(({ message: { type, data } }) => [type, data['task_version']]);
/** Until every change so far has become a notification and left `pending`. */
const completed = (taskId: string, count: number) =>
  untilRows(
    service,
    count,
    "select 1 from notifications where task_id = $1 and recipient_id = $2 and state <> 'pending'",
    [taskId, ada.userId],
  );

describe('a change of status', () => {
  it('reaches the webhook, signed, and the inbox, with the change', async () => {
    const task = await service.createTask(ada, { title: 'Paint the fence', assigneeId: bob.userId });
    await service.setStatus(bob, task.id, TaskStatus.IN_PROGRESS);
    await waitUntil(async () => receiver.received.length === 1);
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
    expect(
      await service.sql('select channel, outcome from deliveries where notification_id = $1 order by channel', [
        notification?.id,
      ]),
    ).toEqual([
      { channel: 'inbox', outcome: 'delivered' },
      { channel: 'webhook', outcome: 'queued' },
    ]);
  });

  it('waits for the change before it, also while that one is retried and Redis loses everything', async () => {
    receiver.behave(answering(500));
    const task = await service.createTask(ada, { assigneeId: bob.userId });
    await service.setStatus(bob, task.id, TaskStatus.IN_PROGRESS);
    await completed(task.id, 1);
    await service.setStatus(bob, task.id, TaskStatus.COMPLETED);
    await completed(task.id, 2);
    await waitUntil(async () => receiver.received.length >= 3);
    expect(new Set(receiver.received.map(({ message }) => message.data['task_version']))).toEqual(new Set(['2']));
    await service.flushRedis();
    receiver.behave(answering(204));
    const before = receiver.received.length;
    await waitUntil(
      () => log(),
      (all) => all.length === 2 && all.every(({ state }) => state === WebhookDeliveryState.DELIVERED),
    );
    expect(arrived().slice(before)).toEqual([
      ['task.status_changed', '2'],
      ['task.status_changed', '3'],
    ]);
  });

  it('is not sent to a user who has muted webhooks', async () => {
    await service.choose(ada, { channels: [NotificationChannel.INBOX] });
    const task = await service.createTask(ada, { assigneeId: bob.userId });
    await service.setStatus(bob, task.id, TaskStatus.IN_PROGRESS);
    await completed(task.id, 1);
    expect(
      await service.sql(
        'select channel, outcome from deliveries d join notifications n on n.id = d.notification_id where task_id = $1 and recipient_id = $2 order by channel',
        [task.id, ada.userId],
      ),
    ).toEqual([
      { channel: 'inbox', outcome: 'delivered' },
      { channel: 'webhook', outcome: 'muted' },
    ]);
    expect(await log()).toEqual([]);
  });
});

describe('an overdue task', () => {
  it('that was completed while its endpoint failed is not sent again', async () => {
    receiver.behave(answering(500));
    const task = await service.createTask(ada, { ...dueAt(anHourAgo()) });
    await service.sweep();
    await waitUntil(async () => receiver.received.length > 0);
    await service.setStatus(ada, task.id, TaskStatus.COMPLETED);
    receiver.behave((answer, request) =>
      answering(request.message.type === 'task.overdue' ? 500 : 204)(answer, request),
    );
    expect(
      await waitUntil(
        () => log(),
        ([one]) => one?.state === WebhookDeliveryState.STALE,
      ),
    ).toMatchObject([{ type: WebhookMessageType.TASK_OVERDUE, taskId: task.id }]);
  });

  it('among many arrives as one digest with their number', async () => {
    await service.createOverdue(ada, 12);
    await service.sweep();
    await waitUntil(async () => receiver.received.length > 0);
    expect(receiver.received.map(({ message }) => message)).toMatchObject([
      { type: 'tasks.overdue_digest', data: { count: 12 } },
    ]);
    const [digest] = await service.inbox(ada);
    expect(digest).toMatchObject({
      kind: NotificationKind.OVERDUE_DIGEST,
      id: receiver.received[0]?.message.data['notification_id'],
    });
  });
});
