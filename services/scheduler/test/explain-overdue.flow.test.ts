import { afterAll, describe, expect, it } from '@jest/globals';
import {
  DeliveryChannel,
  DeliveryOutcome,
  JobEffectKind,
  JobEffectState,
  OverdueExplanation,
  type ExplainOverdueResponse,
} from '#contract/scheduler/v1/jobs';
import { Task, TaskStatus } from '#contract/tasks/v1/tasks';
import { waitUntil } from '#dev/cluster';
import { anHourAgo, startSchedulerCluster } from './start-cluster.ts';
import { dueAt, dueOn } from '../../tasks/test/due.ts';

const service = await startSchedulerCluster();
afterAll(service.stop);

const explain = (task: Task): Promise<ExplainOverdueResponse> =>
  service.scheduler.explainOverdue({ taskId: task.id }, service.admin.as);
/** The answer once it has that explanation. */
const explained = (task: Task, explanation: OverdueExplanation): Promise<ExplainOverdueResponse> =>
  waitUntil(
    () => explain(task),
    (answer) => answer.explanation === explanation,
  );
const yesterday = Temporal.Now.plainDateISO('UTC').subtract({ days: 1 }).toString();

/** The times of the chain with one notification, in its order. */
function timesOf({ due, sweep, event, notifications: [notification] }: ExplainOverdueResponse): number[] {
  const { createTime, job, deliverTime } = notification ?? {};
  return [due?.dueTime, sweep?.overdueTime, event?.createTime, createTime, job?.enqueueTime, deliverTime].map(
    (time) => time?.getTime() ?? Number.NaN,
  );
}

describe('ExplainOverdue', () => {
  it('follows a task from its due version to its delivery, in the order in which it happened', async () => {
    const ada = await service.newUser('Ada');
    const created = await service.createTask(ada, { ...dueAt(new Date(Date.now() + 3_600_000)) });
    expect(await explain(created)).toMatchObject({
      explanation: OverdueExplanation.NOT_DUE_YET,
      event: undefined,
      notifications: [],
    });
    const dueTime = anHourAgo();
    const { task } = await service.tasks.updateTask(
      { task: Task.fromPartial({ id: created.id, ...dueAt(dueTime) }), updateMask: ['due_time'] },
      ada.as,
    );
    expect(await explain(created)).toMatchObject({
      explanation: OverdueExplanation.AWAITING_SWEEP,
      due: { dueVersion: 2n },
    });
    await service.sweep();
    const answer = await explained(task as Task, OverdueExplanation.DELIVERED);
    const [notification] = answer.notifications;
    expect(answer).toMatchObject({
      message: expect.stringMatching(/^delivered at .*: inbox delivered$/),
      due: { dueTime, dueVersion: 2n, status: TaskStatus.PENDING },
      sweep: { overdueTime: expect.any(Date), lastRunFailed: false, paused: false },
      event: { eventId: expect.any(BigInt), pulled: true, deadLettered: false, lag: undefined },
      notifications: [
        {
          recipientId: ada.userId,
          explanation: OverdueExplanation.DELIVERED,
          job: {
            effects: [
              { kind: JobEffectKind.NOTIFICATION, id: notification?.notificationId, state: JobEffectState.DELIVERED },
            ],
          },
          deliveries: [
            { channel: DeliveryChannel.INBOX, outcome: DeliveryOutcome.DELIVERED, attemptCount: 1, error: '' },
          ],
        },
      ],
    });
    expect((await service.inbox(ada)).map(({ id }) => id)).toEqual([notification?.notificationId]);
    const times = timesOf(answer);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(notification?.deliveries[0]?.createTime).toEqual(notification?.deliverTime);
  });

  it('explains that a notification is held, and until when', async () => {
    const ada = await service.newUser('Ada');
    const task = await service.createTask(ada, { ...dueOn(yesterday, 'UTC') });
    // The planner must not have looked her hour up yet, and then it must be one to come.
    await service.cluster.kill('users', 'SIGSTOP');
    await service.sweep();
    const unknown = await explained(task, OverdueExplanation.HELD_UNTIL_HOUR);
    expect(unknown).toMatchObject({
      message: expect.stringContaining('still to be looked up'),
      notifications: [{ explanation: OverdueExplanation.HELD_UNTIL_HOUR, earliestDeliverTime: undefined }],
    });
    const hour = new Date(Math.floor(Date.now() / 1_000) * 1_000 + 3_600_000);
    await service.sql('update notifications set deliver_after = $2 where task_id = $1', [task.id, hour]);
    await service.cluster.kill('users', 'SIGCONT');
    expect(await explain(task)).toMatchObject({
      explanation: OverdueExplanation.HELD_UNTIL_HOUR,
      message: `held until the recipient's hour: ${hour.toISOString()}`,
      notifications: [
        { recipientId: ada.userId, earliestDeliverTime: hour, deliverTime: undefined, job: undefined, deliveries: [] },
      ],
    });
    await service.sql('update notifications set deliver_after = now() where task_id = $1', [task.id]);
    await explained(task, OverdueExplanation.DELIVERED);
  });

  it('explains that the recipient has muted every channel', async () => {
    const ada = await service.newUser('Ada');
    await service.choose(ada, { channels: [] });
    const task = await service.createTask(ada, { ...dueAt(anHourAgo()) });
    await service.sweep();
    expect(await explained(task, OverdueExplanation.MUTED)).toMatchObject({
      message: 'not delivered: the recipient has turned it off: inbox muted',
      notifications: [{ deliveries: [{ channel: DeliveryChannel.INBOX, outcome: DeliveryOutcome.MUTED }] }],
    });
    expect(await service.inbox(ada)).toEqual([]);
  });

  it('explains that a channel other than the inbox was chosen', async () => {
    const ada = await service.newUser('Ada');
    await service.chooseEmail(ada, false);
    const task = await service.createTask(ada, { ...dueAt(anHourAgo()) });
    await service.sweep();
    expect((await explained(task, OverdueExplanation.MUTED)).message).toContain('email unsupported, inbox muted');
  });

  it('explains that a task was closed before its delivery', async () => {
    const ada = await service.newUser('Ada');
    await service.scheduler.pauseQueue({ queue: 'notifications' }, service.admin.as);
    await waitUntil(() => service.metric('taskflow_queue_paused'), 1);
    const task = await service.createTask(ada, { ...dueAt(anHourAgo()) });
    await service.sweep();
    await explained(task, OverdueExplanation.QUEUE_PAUSED);
    await service.setStatus(ada, task.id, TaskStatus.COMPLETED);
    await service.scheduler.resumeQueue({ queue: 'notifications' }, service.admin.as);
    await explained(task, OverdueExplanation.STALE);
  });
});
