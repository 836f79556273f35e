import { randomUUID } from 'node:crypto';
import { afterAll, expect, it } from '@jest/globals';
import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { Task, TaskEvent, TaskEventType } from '#contract/tasks/v1/tasks';
import { kindAndReason } from '#dev/testing';
import type { NotificationValues } from '../src/domain/notifications/notification.columns.ts';
import { addDeadLetterEvent, addNotification } from './rows.ts';
import { startScheduler } from './start-scheduler.ts';
import { watchInbox } from './watching.ts';

const service = await startScheduler();
afterAll(service.stop);
const [admin, user] = await Promise.all([service.newUser('admin'), service.newUser()]);

let eventIds = 1000n;
/** Has an event of tasks wait for an administrator. */
async function putAside(type: TaskEventType, change: { before?: Task; after?: Task }): Promise<bigint> {
  const eventId = (eventIds += 1n);
  const event = TaskEvent.fromPartial({
    position: { transactionId: 7n, eventId },
    type,
    taskId: change.before?.id ?? change.after?.id ?? '',
    taskVersion: 3n,
    actor: 'service:auth',
    createTime: new Date(),
    change: { ...change, dueVersion: 1n },
  });
  await addDeadLetterEvent(service, eventId, { event: TaskEvent.encode(event).finish() });
  return eventId;
}
const handle = (eventId: bigint) => service.scheduler.retryDeadLetterEvent({ eventId }, admin.as);
const tell = (fields: Partial<NotificationValues>): Promise<string> =>
  addNotification(service, {
    recipientId: user.userId,
    state: 'delivered',
    deliverTime: new Date(),
    taskTitle: 'Call the notary',
    ...fields,
  });

it('a task that is removed with its owner takes its title out of what others were told, and says so', async () => {
  const [taskId, ownerId] = [randomUUID(), randomUUID()];
  const own = { taskId, kind: NotificationKind.ASSIGNED };
  const ids = [
    await tell(own),
    await tell({ taskId, kind: NotificationKind.STATUS_CHANGED }),
    await tell({ taskId, kind: NotificationKind.OVERDUE }),
    await tell({ taskId, digestTaskCount: 30 }),
    await tell({ taskId, state: 'muted', inInbox: false }),
  ];
  const other = await tell({ kind: NotificationKind.ASSIGNED });
  const late = await putAside(TaskEventType.OVERDUE, {
    after: Task.fromPartial({ id: taskId, ownerId, assigneeId: user.userId, title: 'Call the notary' }),
  });
  const watching = await watchInbox(service, user);

  const before = Task.fromPartial({ id: taskId, ownerId, assigneeId: user.userId });
  await handle(await putAside(TaskEventType.DELETED, { before }));

  const { notifications } = await service.notifications.listNotifications({}, user.as);
  expect(new Map(notifications.map(({ id, taskTitle }) => [id, taskTitle]))).toEqual(
    new Map([...ids.slice(0, 4).map((id) => [id, ''] as const), [other, 'Call the notary']]),
  );
  await watching.until(() => watching.notifications().filter(({ taskTitle }) => taskTitle === '').length === 4);
  await watching.stop();
  expect(await service.sql('select id from notifications where task_title <> $1', [''])).toEqual([{ id: other }]);
  expect(await kindAndReason(handle(late))).toBe('not_found/DEAD_LETTER_EVENT_NOT_FOUND');
});

it('a task that its owner deletes keeps its title there', async () => {
  const taskId = randomUUID();
  const id = await tell({ taskId, kind: NotificationKind.ASSIGNED });
  const before = Task.fromPartial({ id: taskId, assigneeId: user.userId, title: 'Call the notary' });
  await handle(await putAside(TaskEventType.DELETED, { before }));
  expect(await service.sql('select task_title from notifications where id = $1', [id])).toEqual([
    { task_title: 'Call the notary' },
  ]);
});
