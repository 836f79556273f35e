import { describe, expect, it } from '@jest/globals';
import { TaskEventType, type EventPosition, type PullEventsResponse } from '#contract/tasks/v1/tasks';
import { waitUntil } from '#dev/cluster';
import { toDuration } from '#libs/runtime';
import { dueAt } from './due.ts';
import { anHourAgo, createTask, update } from './factories.ts';
import { useTasks, useUsers } from './start-tasks.ts';

describe('PullEvents', () => {
  const service = useTasks();
  const [owner, admin] = useUsers(service, 'user', 'admin');

  const pull = async (after?: EventPosition, waitMs = 0): Promise<PullEventsResponse> =>
    service.internal.pullEvents({ after, maxWait: toDuration(waitMs) }, await service.asService('scheduler'));
  const newestEvent = async (): Promise<bigint> => {
    const [row] = await service.sql<{ id: string }>('select coalesce(max(id), 0) as id from events');
    return BigInt(row?.id ?? 0);
  };
  /** The page behind a position that has all events until now; other tests' transactions hold events back. */
  const pullToEnd = async (after?: EventPosition): Promise<PullEventsResponse> => {
    const newest = await newestEvent();
    return waitUntil(
      () => pull(after),
      ({ next }) => (next?.eventId ?? 0n) === newest,
    );
  };
  const seen = ({ events }: PullEventsResponse) => events.map(({ taskId, type }) => [taskId, type]);

  it('leaves out what a person did to their own task alone, and its position is behind that', async () => {
    const before = await pullToEnd();
    const task = await createTask(service, owner);
    await service.tasks.updateTask(update(task.id, { title: 'another' }), owner.as);
    await service.tasks.deleteTask({ taskId: task.id }, owner.as);
    const page = await pullToEnd(before.next);
    expect(page).toMatchObject({ events: [], more: false });
    expect(await pull(page.next)).toEqual({ events: [], next: page.next, more: false, readerIds: [] });
  });

  it('tells which of the readers an event concerns, also one that concerns nobody else', async () => {
    const { next } = await pullToEnd();
    await createTask(service, owner);
    const ask = async (readerIds: string[]): Promise<PullEventsResponse> =>
      service.internal.pullEvents({ after: next, readerIds }, await service.asService('scheduler'));
    const page = await waitUntil(
      () => ask([admin.userId, owner.userId]),
      ({ readerIds }) => readerIds.length > 0,
    );
    expect(page.readerIds).toEqual([owner.userId]);
    expect((await ask([admin.userId])).readerIds).toEqual([]);
  });

  it('returns what somebody else did to a task, and that it is overdue', async () => {
    const before = await pullToEnd();
    const task = await createTask(service, owner, { ...dueAt(anHourAgo()) });
    await service.tasks.updateTask(update(task.id, { title: 'by an administrator' }), admin.as);
    await service.sweep();
    await service.tasks.updateTask(update(task.id, { title: 'by the owner' }), owner.as);
    const page = await pullToEnd(before.next);
    expect(seen(page)).toEqual([
      [task.id, TaskEventType.UPDATED],
      [task.id, TaskEventType.OVERDUE],
    ]);
    // A consumer that goes on from the last event, as earlier releases do, misses and repeats nothing.
    expect(seen(await pull(page.events[0]?.position))).toEqual([[task.id, TaskEventType.OVERDUE]]);
    expect(seen(await pull(page.events.at(-1)?.position))).toEqual([]);
  });

  it('lets a waiting reader sleep through events that concern nobody else, until one comes that does', async () => {
    const { next } = await pullToEnd();
    const task = await createTask(service, owner);
    const waiting = pull(next, 10_000);
    for (let round = 0; round < 5; round += 1) await createTask(service, owner);
    await service.tasks.updateTask(update(task.id, { title: 'by an administrator' }), admin.as);
    expect(seen(await waiting)).toEqual([[task.id, TaskEventType.UPDATED]]);
  });

  it('answers a reader that waits in vain with the position behind what it has passed over', async () => {
    const { next } = await pullToEnd();
    await createTask(service, owner);
    const newest = await newestEvent();
    // As long as other tests' transactions hold the event back, the next answer has it.
    const page = await waitUntil(
      () => pull(next, 300),
      (answer) => answer.next?.eventId === newest,
    );
    expect(page).toMatchObject({ events: [], more: false });
  });
});
