import { DeadJobState } from '#contract/scheduler/v1/jobs';
import { Webhook, WebhookDeliveryState } from '#contract/scheduler/v1/notifications';
import { Task, TaskStatus } from '#contract/tasks/v1/tasks';
import { NotificationChannel, User, UsersServiceService } from '#contract/users/v1/users';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '#libs/devcluster';
import { openPublicClient } from '#libs/grpc';
import { answering, startReceiver, type Receiver } from './receiver.ts';
import { startSchedulerCluster, type SchedulerCluster, type TestUser } from './start-cluster.ts';

let service: SchedulerCluster;
let receiver: Receiver;
let ada: TestUser;
let bob: TestUser;
let webhookId: string;

beforeAll(async () => {
  service = await startSchedulerCluster({
    replicas: { scheduler: 2 },
    env: {
      TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000',
      TASKFLOW_SCHEDULER_WEBHOOK_PRIVATE_TARGETS: '127.0.0.0/8',
      TASKFLOW_SCHEDULER_WEBHOOK_RETRY_MS: '200',
      // Time enough for another message to arrive meanwhile, also on a slow machine.
      TASKFLOW_SCHEDULER_WEBHOOK_GIVE_UP_MS: '15000',
    },
  });
});
afterAll(() => service?.stop());

beforeEach(async () => {
  receiver = await startReceiver('127.0.0.1');
  [ada, bob] = await Promise.all([service.newUser('Ada'), service.newUser('Bob')]);
  const users = openPublicClient(UsersServiceService, service.cluster.address('users'));
  await users.updateUser({ user: User.fromPartial({ id: ada.userId, channels: [NotificationChannel.INBOX, NotificationChannel.WEBHOOK] }), updateMask: ['channels'] }, ada.as);
  users.close();
  const { webhook } = await service.notifications.createWebhook({ webhook: Webhook.fromPartial({ url: receiver.url }) }, ada.as);
  webhookId = webhook?.id ?? '';
});
afterEach(() => receiver.close());

/** Something that Ada's webhook is told. */
async function beginTask(): Promise<Task> {
  const task = await service.createTask(ada, { assigneeId: bob.userId });
  await service.tasks.updateTask({ task: Task.fromPartial({ id: task.id, status: TaskStatus.IN_PROGRESS }), updateMask: ['status'] }, bob.as);
  return task;
}
const log = async () => (await service.notifications.listWebhookDeliveries({ webhookId }, ada.as)).deliveries;
const webhookNow = async () => (await service.notifications.getWebhook({ webhookId }, ada.as)).webhook;
const receivedOf = (task: Task) => receiver.received.filter(({ message }) => message.data['task_id'] === task.id);
const idsOf = (task: Task) => receivedOf(task).map(({ headers }) => headers['webhook-id']);

describe('a process that is frozen in the middle of a POST, past the lock of its job, and thawed', () => {
  it('leaves one delivery: the endpoint was sent the same id twice, and the late end of the first attempt changes nothing', async () => {
    await service.cluster.kill('scheduler', 'SIGTERM', 1);
    receiver.behave((answer, request) => void (receiver.received.length > 1 && answering(204)(answer, request)));
    const task = await beginTask();
    await until(async () => receiver.received.length, (count) => count === 1);
    await service.cluster.kill('scheduler', 'SIGSTOP', 0);
    await service.cluster.start('scheduler', 1);
    const stateOf = () => service.sql<{ state: string; attempts: number }>('select state, attempts from webhook_deliveries where webhook_id = $1', [webhookId]);
    await until(stateOf, (rows) => rows.length > 0 && rows.every(({ state }) => state === 'delivered'));
    const byTheOther = await stateOf();
    await service.cluster.kill('scheduler', 'SIGCONT', 0);
    const [delivery, ...others] = await until(log, ([one]) => (one?.attempts[0]?.error ?? '') !== '');
    expect(byTheOther).toEqual([{ state: 'delivered', attempts: 2 }]);
    expect(others).toEqual([]);
    expect(delivery).toMatchObject({ taskId: task.id, state: WebhookDeliveryState.DELIVERED, attempts: [{ error: expect.stringContaining('no answer') }, { statusCode: 204, error: '' }] });
    expect(idsOf(task)).toEqual([delivery?.messageId, delivery?.messageId]);
    expect(new Set(receivedOf(task).map(({ body }) => body)).size).toBe(1);
    expect(await webhookNow()).toMatchObject({ failingSince: undefined, lastSuccessTime: expect.any(Date) });
  }, 400_000);
});

describe('RetryDeadJob of a delivery that was given up', () => {
  it('delivers it once, with the id that its attempts had, and tells nothing of it twice', async () => {
    const failing = new Set<unknown>();
    receiver.behave((answer, request) => answering(failing.has(request.message.data['task_id']) ? 500 : 204)(answer, request));
    const task = await service.createTask(ada, { assigneeId: bob.userId });
    failing.add(task.id);
    await service.tasks.updateTask({ task: Task.fromPartial({ id: task.id, status: TaskStatus.IN_PROGRESS }), updateMask: ['status'] }, bob.as);
    await until(async () => receivedOf(task).length, (count) => count > 0);
    // Another arrives meanwhile, so the endpoint is not taken to be gone.
    const other = await beginTask();
    const deliveryOf = async ({ id }: Task) => (await log()).find(({ taskId }) => taskId === id);
    const given = await until(() => deliveryOf(task), (one) => one?.state === WebhookDeliveryState.DEAD);
    expect((await deliveryOf(other))?.state).toBe(WebhookDeliveryState.DELIVERED);
    const { deadJobs } = await service.scheduler.listDeadJobs({ queue: 'webhooks' }, service.admin.as);
    const letter = deadJobs.find(({ payload }) => (payload as { deliveryId?: string } | undefined)?.deliveryId === given?.id);
    expect(letter).toMatchObject({ name: 'deliver-webhooks', state: DeadJobState.OPEN, error: 'answered 500' });

    failing.clear();
    const before = receivedOf(task).length;
    const answer = await service.scheduler.retryDeadJob({ deadJobId: letter?.id ?? '' }, service.admin.as);
    expect(answer.effects).toEqual([{ kind: 'webhook-delivery', id: given?.id, state: 'pending' }]);
    await until(() => deliveryOf(task), (one) => one?.state === WebhookDeliveryState.DELIVERED);
    await expect(service.scheduler.retryDeadJob({ deadJobId: letter?.id ?? '' }, service.admin.as)).rejects.toMatchObject({ reason: 'DEAD_JOB_SETTLED' });
    // What comes after it has come: nothing of the retried one is still on its way.
    const last = await beginTask();
    await until(() => deliveryOf(last), (one) => one?.state === WebhookDeliveryState.DELIVERED);
    expect(receivedOf(task).length).toBe(before + 1);
    expect(new Set(idsOf(task))).toEqual(new Set([given?.messageId]));
    expect((await log()).filter(({ taskId }) => taskId === task.id)).toHaveLength(1);
  }, 400_000);
});
