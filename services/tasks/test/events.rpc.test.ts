import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  TaskEventType,
  TaskStatus,
  type EventPosition,
  type PullEventsResponse,
  type TaskEvent,
} from '#contract/tasks/v1/tasks';
import { uuidv7 } from '#libs/db';
import { waitUntil } from '#dev/cluster';
import { refused } from '#dev/testing';
import { toDuration } from '#libs/runtime';
import { anHourAgo, createTask, update } from './factories.ts';
import { startTasks, useTasks, useUsers, type TestTasks } from './start-tasks.ts';
import { dueAt } from './due.ts';
import { storeEventsAsBefore } from './earlier-events.ts';

describe('the event log of tasks', () => {
  const service = useTasks();
  const [owner] = useUsers(service, 'user');
  beforeAll(() => storeEventsAsBefore(service));
  /** A service's token lives for a minute, which a slow machine needs for some of these tests. */
  const asScheduler = (): Promise<{ metadata: Record<string, string> }> => service.asService('scheduler');

  const pull = (
    request: Partial<Parameters<TestTasks['internal']['pullEvents']>[0]> = {},
  ): Promise<PullEventsResponse> => asScheduler().then((as) => service.internal.pullEvents(request, as));
  /** Everything committed so far. Events wait for older transactions, and those of other test files are on the same server. */
  const pullAll = async (pageSize = 0): Promise<TaskEvent[]> => {
    const [row] = await service.sql<{ count: number }>('select count(*)::int as count from events');
    const events: TaskEvent[] = [];
    let after: PullEventsResponse['next'];
    while (events.length < (row?.count ?? 0)) {
      const page = await pull({ pageSize, after, maxWait: toDuration(5000) });
      events.push(...page.events);
      after = page.next;
    }
    return events;
  };
  const positionNow = async (): Promise<PullEventsResponse['next']> => (await pullAll()).at(-1)?.position;

  it('has exactly one event for each write, with actor, call and what was before and after', async () => {
    const user = await service.newUser();
    const created = await createTask(service, user, { title: 'one', ...dueAt(anHourAgo()) });
    const { task: updated } = await service.tasks.updateTask(update(created.id, { title: 'two' }), {
      ...user.as,
      requestId: 'call-of-the-update',
    });
    await service.sweep();
    await service.tasks.deleteTask({ taskId: created.id }, user.as);

    const events = (await pullAll()).filter((event) => event.taskId === created.id);
    expect(
      events.map(({ type, sequence, taskVersion, streamId }) => ({ type, sequence, taskVersion, streamId })),
    ).toEqual(
      [
        { type: TaskEventType.CREATED, sequence: 1n, taskVersion: 1n },
        { type: TaskEventType.UPDATED, sequence: 2n, taskVersion: 2n },
        { type: TaskEventType.OVERDUE, sequence: 3n, taskVersion: 2n },
        { type: TaskEventType.DELETED, sequence: 4n, taskVersion: 3n },
      ].map((event) => ({ ...event, streamId: user.userId })),
    );
    const [creation, change, overdue, deletion] = events;
    expect(creation?.change).toEqual({ before: undefined, after: created, dueVersion: 1n });
    expect(change).toMatchObject({
      actor: user.userId,
      requestId: 'call-of-the-update',
      change: { before: created, after: updated },
    });
    expect(overdue?.change?.after).toEqual(updated);
    expect(deletion?.change).toEqual({ before: updated, after: undefined, dueVersion: 1n });
  });

  it('D10 has nothing of a write that failed', async () => {
    const task = await createTask(service, owner, { status: TaskStatus.CANCELLED });
    const before = await pullAll();
    expect(
      await refused(service.tasks.updateTask(update(task.id, { status: TaskStatus.COMPLETED }), owner.as)),
    ).toMatchObject({ kind: 'failed_precondition' });
    expect(await refused(createTask(service, owner, { title: '' }))).toMatchObject({ kind: 'invalid_argument' });
    expect(await pullAll()).toEqual(before);
  });

  it('D10 shows an event only after its commit, and skips none that commits late', async () => {
    const before = await positionNow();
    await service.sql('begin');
    await service.sql(
      `insert into events (stream_id, sequence, type, subject_id, subject_version, actor, call_id, trace_parent, payload)
       values (gen_random_uuid(), 1, 'TASK_EVENT_TYPE_CREATED', gen_random_uuid(), 1, 'late', '', '', '')`,
    );
    const later = await createTask(service, owner);
    expect((await pull({ after: before })).events).toEqual([]);
    await service.sql('commit');
    const [late, next] = (await pullAll()).slice(-2);
    expect([late?.actor, next?.taskId]).toEqual(['late', later.id]);
  });

  it('can be read in pages of any size, each event once and in one order', async () => {
    await Promise.all(Array.from({ length: 30 }, async () => createTask(service, await service.newUser())));
    const whole = await pullAll();
    expect(await pullAll(7)).toEqual(whole);
    expect(new Set(whole.map((event) => event.position?.eventId)).size).toBe(whole.length);
  });

  it('wakes a reader that waits when something happens, before its time is over', async () => {
    const next = await positionNow();
    const givenUp = new AbortController();
    // It has asked for the same time, for events that will never be.
    const beyond = { incarnation: 0n, eventId: 0n, transactionId: 2n ** 62n };
    const inVain = service.internal
      .pullEvents({ after: beyond, maxWait: toDuration(10_000) }, { ...(await asScheduler()), signal: givenUp.signal })
      .then(
        () => 'in vain',
        () => 'in vain',
      );
    const waiting = pull({ after: next, maxWait: toDuration(10_000) });
    const task = await createTask(service, owner);
    expect(await Promise.race([inVain, waiting.then(({ events }) => events.map((event) => event.taskId))])).toEqual([
      task.id,
    ]);
    givenUp.abort();
    await inVain;
  });

  it('answers a reader that waits in vain after the time it asked for, with its own position', async () => {
    const next = await positionNow();
    const started = Date.now();
    expect(await pull({ after: next, maxWait: toDuration(300) })).toEqual({
      events: [],
      next,
      more: false,
      readerIds: [],
    });
    expect(Date.now() - started).toBeGreaterThanOrEqual(290);
  });

  it('lets waiting readers go when the service stops', async () => {
    // A reader that held the service up would be cut off, before its time is over, with an error.
    const other = await startTasks({ config: { shutdownGraceMs: 8000 } });
    const caller = await other.asService('scheduler');
    const ask = () => other.internal.batchGetTaskStates({ taskIds: [uuidv7()] }, caller);
    await ask();
    const waiting = other.internal.pullEvents({ maxWait: toDuration(10_000) }, caller);
    // Answered on the same connection, so the waiting call has arrived.
    await ask();
    await other.stop();
    expect(await waiting).toEqual({ events: [], next: undefined, more: false, readerIds: [] });
  });

  it('tells where tasks stand now, and leaves out what does not exist', async () => {
    const [open, deleted] = [
      await createTask(service, owner, { ...dueAt(anHourAgo()) }),
      await createTask(service, owner),
    ];
    await service.tasks.updateTask(update(open.id, { status: TaskStatus.IN_PROGRESS }), owner.as);
    await service.tasks.deleteTask({ taskId: deleted.id }, owner.as);
    const { states } = await service.internal.batchGetTaskStates(
      { taskIds: [deleted.id, open.id] },
      await asScheduler(),
    );
    expect(states).toEqual([
      {
        taskId: open.id,
        status: TaskStatus.IN_PROGRESS,
        version: 2n,
        dueVersion: 1n,
        ownerId: owner.userId,
        assigneeId: '',
      },
    ]);
  });

  it('tells a consumer that was away for longer than events are kept, and not a new one', async () => {
    const other = await startTasks({ maintenanceIntervalMs: 50 });
    await storeEventsAsBefore(other);
    const [caller, user] = [await other.asService('scheduler'), await other.newUser()];
    const seen = await createTask(other, user);
    const eventsAfter = (after?: EventPosition) =>
      other.internal.pullEvents({ after }, caller).then(({ events }) => events);
    const [first] = await waitUntil(
      () => eventsAfter(),
      (events) => events.length > 0,
    );
    const unseen = await createTask(other, user);
    await other.sql(`update events set create_time = now() - interval '91 days' where subject_id in ($1, $2)`, [
      seen.id,
      unseen.id,
    ]);
    await waitUntil(() => other.sql('select 1 from events'), { length: 0 });

    expect(await refused(eventsAfter(first?.position))).toEqual({ kind: 'out_of_range', reason: 'EVENTS_COMPACTED' });
    const kept = await createTask(other, user);
    const [event] = await waitUntil(
      () => eventsAfter(),
      (events) => events.length > 0,
    );
    expect(event?.taskId).toBe(kept.id);
    expect(await eventsAfter(event?.position)).toEqual([]);
    await other.stop();
  });

  it('explains where a due time stands: before and after a sweep, rescheduled, closed, gone', async () => {
    const explain = async (taskId: string) => service.internal.explainDue({ taskId }, await asScheduler());
    const task = await createTask(service, owner, { ...dueAt(anHourAgo()) });
    expect(await explain(task.id)).toMatchObject({
      state: { taskId: task.id, dueVersion: 1n },
      dueTime: task.effectiveDueTime,
      overdueTime: undefined,
      overduePosition: undefined,
    });
    await service.sweep();
    const event = (await pullAll()).findLast(
      ({ taskId, type }) => taskId === task.id && type === TaskEventType.OVERDUE,
    );
    const swept = {
      overdueTime: expect.any(Date),
      overduePosition: event?.position,
      overdueEventTime: event?.createTime,
      currentTime: expect.any(Date),
    };
    expect(await explain(task.id)).toMatchObject(swept);
    await service.tasks.updateTask(update(task.id, { status: TaskStatus.COMPLETED }), owner.as);
    expect(await explain(task.id)).toMatchObject({
      state: { status: TaskStatus.COMPLETED },
      overduePosition: event?.position,
    });
    await service.tasks.updateTask(
      update(task.id, { status: TaskStatus.PENDING, ...dueAt(new Date(Date.now() + 3_600_000)) }, [
        'status',
        'due_time',
      ]),
      owner.as,
    );
    expect(await explain(task.id)).toMatchObject({
      state: { dueVersion: 2n },
      overdueTime: undefined,
      overduePosition: undefined,
    });
    await service.tasks.deleteTask({ taskId: task.id }, owner.as);
    expect(await explain(task.id)).toMatchObject({ state: undefined, dueTime: undefined, overdueTime: undefined });
  });

  it('is for the scheduler only', async () => {
    for (const call of [
      service.internal.pullEvents({}, owner.as),
      service.internal.batchGetTaskStates({ taskIds: [] }, owner.as),
    ]) {
      expect(await refused(call)).toMatchObject({ kind: 'permission_denied' });
    }
  });
});
