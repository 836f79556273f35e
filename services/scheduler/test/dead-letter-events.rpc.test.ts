import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { AuditTargetKind } from '#contract/audit/v1/audit';
import { kindAndReason } from '#dev/testing';
import { Task, TaskEvent, TaskEventType } from '#contract/tasks/v1/tasks';
import { startScheduler } from './start-scheduler.ts';
import { addDeadLetterEvent } from './rows.ts';

const service = await startScheduler();
afterAll(service.stop);
const [admin, user] = await Promise.all([service.newUser('admin'), service.newUser()]);

const scheduler = () => service.scheduler;
const audited = async (action: string) => (await service.audit.listAuditEvents({ action }, admin.as)).events;

describe('dead-letter events', () => {
  const add = (eventId: bigint, event: TaskEvent | undefined): Promise<void> =>
    addDeadLetterEvent(service, eventId, {
      event: event === undefined ? Buffer.of(0xff) : TaskEvent.encode(event).finish(),
    });
  const overdue = (eventId: bigint, owner: string): TaskEvent => {
    const after = Task.fromPartial({ id: randomUUID(), ownerId: owner, title: 'title' });
    return TaskEvent.fromPartial({
      position: { transactionId: 7n, eventId },
      type: TaskEventType.OVERDUE,
      taskId: after.id,
      taskVersion: 3n,
      createTime: new Date(),
      change: { after, dueVersion: 1n },
    });
  };

  it('are listed in pages, oldest first, also those whose bytes are damaged', async () => {
    for (const eventId of [101n, 102n]) await add(eventId, overdue(eventId, user.userId));
    await add(103n, undefined);
    const first = await scheduler().listDeadLetterEvents({ pageSize: 2 }, admin.as);
    const second = await scheduler().listDeadLetterEvents({ pageSize: 2, pageToken: first.nextPageToken }, admin.as);
    expect(
      [...first.deadLetterEvents, ...second.deadLetterEvents].map(({ eventId, error }) => [eventId, error]),
    ).toEqual([101n, 102n, 103n].map((id) => [id, 'TypeError']));
    expect(first.deadLetterEvents[0]).toMatchObject({
      type: TaskEventType.OVERDUE,
      taskVersion: 3n,
      eventTime: expect.any(Date),
      deadLetterTime: expect.any(Date),
    });
    expect(second.nextPageToken).toBe('');
  });

  it('are handled once when they are retried', async () => {
    await add(201n, overdue(201n, user.userId));
    const requestId = randomUUID();
    await scheduler().retryDeadLetterEvent({ eventId: 201n, requestId }, admin.as);
    await scheduler().retryDeadLetterEvent({ eventId: 201n, requestId }, admin.as);
    expect(await service.sql('select recipient_id from notifications where event_id = 201')).toEqual([
      { recipient_id: user.userId },
    ]);
    expect(await kindAndReason(scheduler().retryDeadLetterEvent({ eventId: 201n }, admin.as))).toBe(
      'not_found/DEAD_LETTER_EVENT_NOT_FOUND',
    );
  });

  it('remain when they fail again, until they are discarded', async () => {
    await add(301n, undefined);
    expect(await kindAndReason(scheduler().retryDeadLetterEvent({ eventId: 301n }, admin.as))).toBe(
      'failed_precondition/EVENT_NOT_HANDLED',
    );
    await scheduler().discardDeadLetterEvent({ eventId: 301n }, admin.as);
    expect(await kindAndReason(scheduler().discardDeadLetterEvent({ eventId: 301n }, admin.as))).toBe(
      'not_found/DEAD_LETTER_EVENT_NOT_FOUND',
    );
    expect(await audited('DiscardDeadLetterEvent')).toMatchObject([
      { actorId: admin.userId, targetKind: AuditTargetKind.DEAD_LETTER_EVENT, targetId: '301' },
    ]);
  });
});
