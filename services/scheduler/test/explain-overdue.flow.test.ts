import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OverdueVerdict, type ExplainOverdueResponse } from '#contract/scheduler/v1/jobs';
import { Task, TaskStatus } from '#contract/tasks/v1/tasks';
import { User, UsersServiceService } from '#contract/users/v1/users';
import { until } from '#libs/devcluster';
import { openPublicClient } from '#libs/grpc';
import { anHourAgo, startSchedulerCluster, type SchedulerCluster, type TestUser } from './start-cluster.ts';

let service: SchedulerCluster;
beforeAll(async () => {
  service = await startSchedulerCluster();
});
afterAll(() => service?.stop());

const explain = (task: Task): Promise<ExplainOverdueResponse> => service.scheduler.explainOverdue({ taskId: task.id }, service.admin.as);
/** The answer once it has that verdict. */
const explained = (task: Task, verdict: OverdueVerdict): Promise<ExplainOverdueResponse> => until(() => explain(task), (answer) => answer.verdict === verdict);
const yesterday = Temporal.Now.plainDateISO('UTC').subtract({ days: 1 }).toString();

async function choose(user: TestUser, wish: Partial<User>, mask: string[]): Promise<void> {
  const users = openPublicClient(UsersServiceService, service.cluster.address('users'));
  await until(() => users.updateUser({ user: User.fromPartial({ id: user.userId, ...wish }), updateMask: mask }, user.as).then(() => true, () => false), Boolean);
  users.close();
}

/** The times of the chain with one notification, in its order. */
function timesOf({ due, sweep, event, notifications: [notification] }: ExplainOverdueResponse): number[] {
  const { createTime, job, deliverTime } = notification ?? {};
  return [due?.dueTime, sweep?.overdueTime, event?.createTime, createTime, job?.enqueueTime, deliverTime].map((time) => time?.getTime() ?? Number.NaN);
}

describe('ExplainOverdue', () => {
  it('follows a task from its due version to its delivery, in the order in which it happened', async () => {
    const ada = await service.newUser('Ada');
    const created = await service.createTask(ada, { dueTime: new Date(Date.now() + 3_600_000) });
    expect(await explain(created)).toMatchObject({ verdict: OverdueVerdict.NOT_DUE_YET, event: undefined, notifications: [] });
    const dueTime = anHourAgo();
    const { task } = await service.tasks.updateTask({ task: Task.fromPartial({ id: created.id, dueTime }), updateMask: ['due_time'] }, ada.as);
    expect(await explain(created)).toMatchObject({ verdict: OverdueVerdict.AWAITING_SWEEP, due: { dueVersion: 2n } });
    await service.sweep();
    const answer = await explained(task as Task, OverdueVerdict.DELIVERED);
    const [notification] = answer.notifications;
    expect(answer).toMatchObject({
      explanation: expect.stringMatching(/^delivered at .*: inbox delivered$/),
      due: { dueTime, dueVersion: 2n, status: TaskStatus.PENDING },
      sweep: { overdueTime: expect.any(Date), lastRunFailed: false, paused: false },
      event: { eventId: expect.any(BigInt), pulled: true, parked: false, lag: undefined },
      notifications: [
        {
          recipientId: ada.userId, verdict: OverdueVerdict.DELIVERED,
          job: { effects: [{ kind: 'notification', id: notification?.notificationId, state: 'delivered' }] },
          deliveries: [{ channel: 'inbox', outcome: 'delivered', attemptCount: 1, error: '' }],
        },
      ],
    });
    expect((await service.inbox(ada)).map(({ id }) => id)).toEqual([notification?.notificationId]);
    const times = timesOf(answer);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(notification?.deliveries[0]?.createTime).toEqual(notification?.deliverTime);
  });

  it('tells that a notification is held, and until when', async () => {
    const ada = await service.newUser('Ada');
    const task = await service.createTask(ada, { dueDate: yesterday, dueZone: 'UTC' });
    // The planner must not have looked her hour up yet, and then it must be one to come.
    await service.cluster.kill('users', 'SIGSTOP');
    await service.sweep();
    const unknown = await explained(task, OverdueVerdict.HELD_UNTIL_HOUR);
    expect(unknown).toMatchObject({ explanation: expect.stringContaining('still to be looked up'), notifications: [{ verdict: OverdueVerdict.HELD_UNTIL_HOUR, deliverAfter: undefined }] });
    const hour = new Date(Math.floor(Date.now() / 1_000) * 1_000 + 3_600_000);
    await service.sql('update notifications set deliver_after = $2 where task_id = $1', [task.id, hour]);
    await service.cluster.kill('users', 'SIGCONT');
    expect(await explain(task)).toMatchObject({
      verdict: OverdueVerdict.HELD_UNTIL_HOUR,
      explanation: `held until the recipient's hour: ${hour.toISOString()}`,
      notifications: [{ recipientId: ada.userId, deliverAfter: hour, deliverTime: undefined, job: undefined, deliveries: [] }],
    });
    await service.sql('update notifications set deliver_after = now() where task_id = $1', [task.id]);
    await explained(task, OverdueVerdict.DELIVERED);
  });

  it('tells that the recipient has muted every channel', async () => {
    const ada = await service.newUser('Ada');
    await choose(ada, { channels: [] }, ['channels']);
    const task = await service.createTask(ada, { dueTime: anHourAgo() });
    await service.sweep();
    expect(await explained(task, OverdueVerdict.MUTED)).toMatchObject({
      explanation: 'not delivered: the recipient has turned it off: inbox muted',
      notifications: [{ deliveries: [{ channel: 'inbox', outcome: 'muted' }] }],
    });
    expect(await service.inbox(ada)).toEqual([]);
  });

  it('tells that a channel other than the inbox was chosen', async () => {
    const ada = await service.newUser('Ada');
    await service.chooseEmail(ada, false);
    const task = await service.createTask(ada, { dueTime: anHourAgo() });
    await service.sweep();
    expect((await explained(task, OverdueVerdict.MUTED)).explanation).toContain('email unsupported, inbox muted');
  });

  it('tells that a task was closed before its delivery', async () => {
    const ada = await service.newUser('Ada');
    await service.scheduler.pauseQueue({ queue: 'notifications' }, service.admin.as);
    await until(() => service.metric('taskflow_queue_paused'), (paused) => paused === 1);
    const task = await service.createTask(ada, { dueTime: anHourAgo() });
    await service.sweep();
    await explained(task, OverdueVerdict.QUEUE_PAUSED);
    await service.tasks.updateTask({ task: Task.fromPartial({ id: task.id, status: TaskStatus.COMPLETED }), updateMask: ['status'] }, ada.as);
    await service.scheduler.resumeQueue({ queue: 'notifications' }, service.admin.as);
    await explained(task, OverdueVerdict.STALE);
  });
});
