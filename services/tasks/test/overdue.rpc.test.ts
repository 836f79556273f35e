import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  TaskEventType,
  TaskStatus,
  type SweepOverdueResponse,
  type Task,
  type TaskEvent,
} from '#contract/tasks/v1/tasks';
import { kindAndReason, refused } from '#dev/testing';
import { anHourAgo, createTask, hour, inAnHour, update } from './factories.ts';
import { useTasks, useUsers } from './start-tasks.ts';
import { dueAt } from './due.ts';

/** Due tasks past the service: `count` of one owner, due at `due` and each a millisecond later than the one before. */
const insertDue = `
  with task as (
    insert into tasks (id, owner_id, title, description, status, priority, due_time, due_version, labels, version, create_time, update_time)
    select gen_random_uuid(), $1, 'task ' || n, '', 1, 2, $3::timestamptz + n * interval '1 millisecond', 1, '{}', 1, now(), now()
    from generate_series(1, $2::int) n
    returning id, owner_id, due_time)
  insert into task_due (task_id, owner_id, due_time, due_version) select id, owner_id, due_time, 1 from task`;

describe('the overdue sweep', () => {
  const service = useTasks();
  const [owner] = useUsers(service, 'user');
  /** A service's token lives for a minute, which a slow machine needs for some of these tests. */
  const asScheduler = (): Promise<{ metadata: Record<string, string> }> => service.asService('scheduler');
  beforeEach(() => service.sql('truncate tasks, task_due, events, event_stream_heads'));

  const sweep = (batchSize = 0): Promise<SweepOverdueResponse> =>
    asScheduler().then((as) => service.internal.sweepOverdue({ batchSize }, as));
  const sweepAll = async (batchSize = 0): Promise<number> => {
    let marked = 0;
    for (let more = true; more;) {
      const batch = await sweep(batchSize);
      marked += batch.markedCount;
      more = batch.more;
    }
    return marked;
  };
  const overdueEvents = async (taskId?: string): Promise<TaskEvent[]> => {
    // Events wait for older transactions, and those of other test files are on the same server.
    const [row] = await service.sql<{ count: number }>(
      'select count(*)::int as count from events where concerns_others',
    );
    let events: TaskEvent[] = [];
    while (events.length < (row?.count ?? 0))
      events = (await service.internal.pullEvents({ pageSize: 5000 }, await asScheduler())).events;
    return events.filter(
      (event) => event.type === TaskEventType.OVERDUE && (taskId === undefined || event.taskId === taskId),
    );
  };
  const edit = async (task: Task, fields: Partial<Task>, mask: string[]): Promise<Task | undefined> =>
    (await service.tasks.updateTask(update(task.id, fields, mask), owner.as)).task;

  it('announces a task whose due time has passed, once, with what it was', async () => {
    const task = await createTask(service, owner, { ...dueAt(anHourAgo()), labels: ['a', 'b'] });
    await createTask(service, owner, { ...dueAt(inAnHour()) });
    await createTask(service, owner);
    expect(await sweep()).toEqual({ markedCount: 1, more: false, oldestDueTime: task.effectiveDueTime });
    expect(await sweep()).toEqual({ markedCount: 0, more: false, oldestDueTime: undefined });

    const [event, ...others] = await overdueEvents();
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      streamId: owner.userId,
      taskId: task.id,
      taskVersion: 1n,
      actor: 'service:scheduler',
      sequence: 4n,
    });
    expect(event?.change).toEqual({
      before: { ...task, overdue: false },
      after: { ...task, overdue: true },
      dueVersion: 1n,
    });
  });

  it('D12 changes nothing that a client sees: neither the etag nor the status', async () => {
    const task = await createTask(service, owner, { ...dueAt(anHourAgo()) });
    await sweep();
    expect((await service.tasks.getTask({ taskId: task.id }, owner.as)).task).toEqual(task);
    await service.tasks.updateTask(update(task.id, { etag: task.etag, title: 'x' }), owner.as);
  });

  it('announces a rescheduled task exactly once more', async () => {
    const task = await createTask(service, owner, { ...dueAt(anHourAgo()) });
    await sweepAll();
    await edit(task, { ...dueAt(inAnHour()) }, ['due_time']);
    expect(await sweepAll()).toBe(0);
    await edit(task, { ...dueAt(new Date(Date.now() - 2 * hour)) }, ['due_time']);
    expect(await sweepAll()).toBe(1);
    expect(await sweepAll()).toBe(0);
    expect((await overdueEvents(task.id)).map((event) => event.change?.dueVersion)).toEqual([1n, 3n]);
  });

  it('stays silent about a due version that was announced before the task was closed and reopened', async () => {
    const task = await createTask(service, owner, { ...dueAt(anHourAgo()) });
    await sweepAll();
    await edit(task, { status: TaskStatus.COMPLETED }, ['status']);
    expect(await service.sql('select 1 from task_due')).toEqual([]);
    await edit(task, { status: TaskStatus.PENDING }, ['status']);
    expect(await sweepAll()).toBe(0);
    expect(await overdueEvents(task.id)).toHaveLength(1);
  });

  it('announces again what was rescheduled while it was closed', async () => {
    const task = await createTask(service, owner, { ...dueAt(anHourAgo()) });
    await sweepAll();
    await edit(task, { status: TaskStatus.COMPLETED }, ['status']);
    await edit(task, { ...dueAt(new Date(Date.now() - 2 * hour)) }, ['due_time']);
    await edit(task, { status: TaskStatus.PENDING }, ['status']);
    expect(await sweepAll()).toBe(1);
    expect((await overdueEvents(task.id)).map((event) => event.change?.dueVersion)).toEqual([1n, 2n]);
  });

  it('stays silent when only the assignee changes, and knows the new one', async () => {
    const task = await createTask(service, owner, { ...dueAt(anHourAgo()) });
    await sweepAll();
    await edit(task, { assigneeId: owner.userId }, ['assignee_id']);
    expect(await sweepAll()).toBe(0);
    expect(await service.sql('select assignee_id from task_due where overdue_time is not null')).toEqual([
      { assignee_id: owner.userId },
    ]);
  });

  it('passes over tasks that were completed, cancelled or deleted, and finds those reopened', async () => {
    const [completed, cancelled, deleted] = await Promise.all(
      [1, 2, 3].map(() => createTask(service, owner, { ...dueAt(anHourAgo()) })),
    );
    if (!completed || !cancelled || !deleted) throw new Error('three tasks');
    await edit(completed, { status: TaskStatus.COMPLETED }, ['status']);
    await edit(cancelled, { status: TaskStatus.CANCELLED }, ['status']);
    await service.tasks.deleteTask({ taskId: deleted.id }, owner.as);
    expect(await sweepAll()).toBe(0);
    await edit(completed, { status: TaskStatus.PENDING }, ['status']);
    expect(await sweepAll()).toBe(1);
  });

  it('reaches 25 000 tasks, and one owner with 24 900 delays 100 others by no more than one batch', async () => {
    await service.sql(insertDue, [owner.userId, 24_900, new Date(Date.now() - 48 * hour)]);
    const others = await Promise.all(Array.from({ length: 100 }, () => service.newUser()));
    for (const other of others) await service.sql(insertDue, [other.userId, 1, anHourAgo()]);

    const first = await sweep(1000);
    expect([first.markedCount, first.more]).toEqual([1000, true]);
    const waiting = await service.sql('select 1 from task_due where overdue_time is null and owner_id <> $1', [
      owner.userId,
    ]);
    expect(waiting).toEqual([]);
    const early = await service.sql<{ due: boolean }>(
      'select bool_and(due_time < (select min(due_time) from task_due where overdue_time is null and owner_id = $1)) as due from task_due where overdue_time is not null and owner_id = $1',
      [owner.userId],
    );
    expect(early).toEqual([{ due: true }]);

    expect(await sweepAll(5000)).toBe(24_000);
    const [count] = await service.sql<{ events: string; tasks: string }>(
      'select count(*) as events, count(distinct subject_id) as tasks from events',
    );
    expect(count).toEqual({ events: '25000', tasks: '25000' });
    const gaps = await service.sql('select stream_id from events group by stream_id having max(sequence) <> count(*)');
    expect(gaps).toEqual([]);
  });

  it('marks each task once when several sweep at the same time as owners change them, without a deadlock', async () => {
    const owners = await Promise.all([1, 2, 3].map(() => service.newUser()));
    const tasks = await Promise.all(
      owners.flatMap((user) =>
        Array.from({ length: 40 }, async () => ({
          user,
          task: await createTask(service, user, { ...dueAt(anHourAgo()) }),
        })),
      ),
    );
    const changes = tasks.map(async ({ user, task }, index) => {
      if (index % 3 === 0) await service.tasks.updateTask(update(task.id, { status: TaskStatus.COMPLETED }), user.as);
      if (index % 3 === 1)
        await service.tasks.updateTask(
          update(task.id, { title: 'renamed', ...dueAt(anHourAgo()) }, ['title', 'due_time']),
          user.as,
        );
    });
    const sweeps = Array.from({ length: 8 }, () => sweepAll(10));
    const results = await Promise.allSettled([...changes, ...sweeps]);
    expect(results.filter((result) => result.status === 'rejected')).toEqual([]);
    await sweepAll();

    const twice = await service.sql(
      `select subject_id from events where type = 'TASK_EVENT_TYPE_OVERDUE' group by subject_id, payload having count(*) > 1`,
    );
    expect(twice).toEqual([]);
    const events = await overdueEvents();
    const marks = new Set(events.map((event) => `${event.taskId} ${event.change?.dueVersion}`));
    expect(marks.size).toBe(events.length);
    const unmarked = await service.sql('select 1 from task_due where overdue_time is null');
    expect(unmarked).toEqual([]);
  });

  it('leaves a task that somebody is changing to the next batch', async () => {
    const held = await createTask(service, owner, { ...dueAt(anHourAgo()) });
    await createTask(service, owner, { ...dueAt(anHourAgo()) });
    await service.sql('begin');
    await service.sql('select 1 from tasks where id = $1 for update', [held.id]);
    expect((await sweep()).markedCount).toBe(1);
    await service.sql('commit');
    expect((await sweep()).markedCount).toBe(1);
  });

  it('goes on where the last batch ended, which is not behind a task that somebody held, nor behind what is due since', async () => {
    const ago = (hours: number): Date => new Date(Date.now() - hours * hour);
    const [first, held, third, last] = [ago(5), ago(4), ago(3), ago(2)];
    for (const dueTime of [first, held, third, last]) await createTask(service, owner, dueAt(dueTime));
    const next = async (batchSize: number, dueStartTime?: Date) => service.sweep({ batchSize, dueStartTime });
    expect(await next(1)).toEqual({ markedCount: 1, more: true, oldestDueTime: first, nextDueTime: held });
    await service.sql('begin');
    await service.sql('select 1 from tasks where due_time = $1 for update', [held]);
    expect(await next(2, held)).toEqual({ markedCount: 1, more: true, oldestDueTime: third, nextDueTime: held });
    await service.sql('commit');
    expect(await next(1, held)).toMatchObject({ oldestDueTime: held, nextDueTime: last });
    const late = ago(6);
    await createTask(service, owner, dueAt(late));
    expect(await next(5, last)).toEqual({ markedCount: 1, more: false, oldestDueTime: last, nextDueTime: undefined });
    expect(await next(5)).toEqual({ markedCount: 1, more: false, oldestDueTime: late, nextDueTime: undefined });
  });

  it('is for the scheduler only', async () => {
    expect(await refused(service.internal.sweepOverdue({}, owner.as))).toMatchObject({ kind: 'permission_denied' });
    expect(await kindAndReason(service.internal.sweepOverdue({}, await service.asService('users')))).toBe(
      'permission_denied/CALLER_NOT_ALLOWED',
    );
    expect(await kindAndReason(service.internal.sweepOverdue({ batchSize: 5001 }, await asScheduler()))).toBe(
      'invalid_argument/INVALID_FIELD',
    );
  });
});
