import { DeadJobState, JobEffectKind, JobEffectState } from '#contract/scheduler/v1/jobs';
import { Webhook, WebhookDeliveryState } from '#contract/scheduler/v1/notifications';
import { TaskStatus, type Task } from '#contract/tasks/v1/tasks';
import { NotificationChannel } from '#contract/users/v1/users';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { waitUntil } from '#dev/cluster';
import { answering, startReceiver, type Receiver } from '#dev/testing';
import { startSchedulerCluster, type TestUser } from './start-cluster.ts';

let receiver: Receiver;
let ada: TestUser;
let bob: TestUser;
let webhookId: string;
const service = await startSchedulerCluster({
  replicas: { scheduler: 2 },
  env: {
    TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000',
    TASKFLOW_SCHEDULER_WEBHOOK_PRIVATE_TARGETS: '127.0.0.0/8',
    TASKFLOW_SCHEDULER_WEBHOOK_RETRY_MS: '200',
    // Long enough for another message to arrive meanwhile, also on a slow machine.
    TASKFLOW_SCHEDULER_WEBHOOK_GIVE_UP_MS: '15000',
  },
});
afterAll(service.stop);

beforeEach(async () => {
  receiver = await startReceiver('127.0.0.1');
  [ada, bob] = await Promise.all([service.newUser('Ada'), service.newUser('Bob')]);
  await service.choose(ada, { channels: [NotificationChannel.INBOX, NotificationChannel.WEBHOOK] });
  const { webhook } = await service.notifications.createWebhook(
    { webhook: Webhook.fromPartial({ url: receiver.url }) },
    ada.as,
  );
  webhookId = webhook?.id ?? '';
});
afterEach(() => receiver.close());

/** A change that is sent to Ada's webhook. */
async function beginTask(): Promise<Task> {
  const task = await service.createTask(ada, { assigneeId: bob.userId });
  await service.setStatus(bob, task.id, TaskStatus.IN_PROGRESS);
  return task;
}
const log = async () => (await service.notifications.listWebhookDeliveries({ webhookId }, ada.as)).deliveries;
const webhookNow = async () => (await service.notifications.getWebhook({ webhookId }, ada.as)).webhook;
const receivedOf = (task: Task) => receiver.received.filter(({ message }) => message.data['task_id'] === task.id);
const idsOf = (task: Task) => receivedOf(task).map(({ headers }) => headers['webhook-id']);

describe('a process that is frozen in the middle of a POST, past the lock of its job, and thawed', () => {
  it('leaves one delivery: the endpoint gets the same id twice, and the late end of the first attempt changes nothing', async () => {
    await service.cluster.kill('scheduler', 'SIGTERM', 1);
    receiver.behave((answer, request) => void (receiver.received.length > 1 && answering(204)(answer, request)));
    const task = await beginTask();
    await waitUntil(async () => receiver.received.length === 1);
    await service.cluster.kill('scheduler', 'SIGSTOP', 0);
    await service.cluster.start('scheduler', 1);
    const stateOf = () =>
      service.sql<{ state: string; attempts: number }>(
        'select state, attempts from webhook_deliveries where webhook_id = $1',
        [webhookId],
      );
    await waitUntil(stateOf, (rows) => rows.length > 0 && rows.every(({ state }) => state === 'delivered'));
    const byTheOther = await stateOf();
    await service.cluster.kill('scheduler', 'SIGCONT', 0);
    const [delivery, ...others] = await waitUntil(log, ([one]) => (one?.attempts[0]?.error ?? '') !== '');
    expect(byTheOther).toEqual([{ state: 'delivered', attempts: 2 }]);
    expect(others).toEqual([]);
    expect(delivery).toMatchObject({
      taskId: task.id,
      state: WebhookDeliveryState.DELIVERED,
      attempts: [{ error: expect.stringContaining('no answer') }, { statusCode: 204, error: '' }],
    });
    expect(idsOf(task)).toEqual([delivery?.messageId, delivery?.messageId]);
    expect(new Set(receivedOf(task).map(({ body }) => body)).size).toBe(1);
    expect(await webhookNow()).toMatchObject({ failingStartTime: undefined, lastSuccessTime: expect.any(Date) });
  }, 400_000);
});

describe('RetryDeadJob of a delivery that was given up', () => {
  it('delivers it once, with the id of its earlier attempts', async () => {
    const failing = new Set<unknown>();
    receiver.behave((answer, request) =>
      answering(failing.has(request.message.data['task_id']) ? 500 : 204)(answer, request),
    );
    const task = await service.createTask(ada, { assigneeId: bob.userId });
    failing.add(task.id);
    await service.setStatus(bob, task.id, TaskStatus.IN_PROGRESS);
    await waitUntil(async () => receivedOf(task).length > 0);
    // Another delivery succeeds meanwhile, so the webhook stays enabled.
    const other = await beginTask();
    const deliveryOf = async ({ id }: Task) => (await log()).find(({ taskId }) => taskId === id);
    const given = await waitUntil(() => deliveryOf(task), { state: WebhookDeliveryState.DEAD });
    expect((await deliveryOf(other))?.state).toBe(WebhookDeliveryState.DELIVERED);
    const { deadJobs } = await service.scheduler.listDeadJobs({ queue: 'webhooks' }, service.admin.as);
    const letter = deadJobs.find(
      ({ payload }) => (payload as { deliveryId?: string } | undefined)?.deliveryId === given?.id,
    );
    expect(letter).toMatchObject({ name: 'deliver-webhooks', state: DeadJobState.OPEN, error: 'answered 500' });

    failing.clear();
    const before = receivedOf(task).length;
    const answer = await service.scheduler.retryDeadJob({ deadJobId: letter?.id ?? '' }, service.admin.as);
    expect(answer.effects).toEqual([
      { kind: JobEffectKind.WEBHOOK_DELIVERY, id: given?.id, state: JobEffectState.PENDING },
    ]);
    await waitUntil(() => deliveryOf(task), { state: WebhookDeliveryState.DELIVERED });
    await expect(
      service.scheduler.retryDeadJob({ deadJobId: letter?.id ?? '' }, service.admin.as),
    ).rejects.toMatchObject({ reason: 'DEAD_JOB_RESOLVED' });
    // A later delivery has arrived, so nothing of the retried one is still on its way.
    const last = await beginTask();
    await waitUntil(() => deliveryOf(last), { state: WebhookDeliveryState.DELIVERED });
    expect(receivedOf(task).length).toBe(before + 1);
    expect(new Set(idsOf(task))).toEqual(new Set([given?.messageId]));
    expect((await log()).filter(({ taskId }) => taskId === task.id)).toHaveLength(1);
  }, 400_000);
});
