import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Task, TaskStatus } from '#contract/tasks/v1/tasks';
import { invalidFields, refused } from '../../test/refusals.ts';
import { anHourAgo, createTask, update } from './factories.ts';
import { startTasks, type TestTasks, type TestUser } from './start-tasks.ts';

describe('G7 a call that only checks', () => {
  let service: TestTasks;
  let owner: TestUser;
  let stranger: TestUser;
  beforeAll(async () => {
    service = await startTasks();
    [owner, stranger] = await Promise.all([service.newUser(), service.newUser()]);
  });
  afterAll(() => service.stop());

  const validateOnly = true;
  const create = (fields: Partial<Task>, requestId = '') =>
    service.tasks.createTask({ task: Task.fromPartial({ title: 'x', ...fields }), requestId, validateOnly }, owner.as);
  const edit = (id: string, fields: Partial<Task>, mask: string[], user = owner) =>
    service.tasks.updateTask({ ...update(id, fields, mask), validateOnly }, user.as);
  const remove = (taskId: string, etag = '', user = owner) => service.tasks.deleteTask({ taskId, etag, validateOnly }, user.as);

  /** Everything that there is in the database. */
  async function everything(): Promise<unknown[]> {
    const rows: unknown[] = [];
    for (const table of ['tasks', 'task_due', 'events', 'event_stream_heads', 'idempotency_records']) rows.push(await service.sql(`select * from ${table} order by 1`));
    return rows;
  }

  async function writesNothing(call: () => Promise<unknown>): Promise<void> {
    const before = await everything();
    await call();
    expect(await everything()).toEqual(before);
  }

  it('answers as the real one and writes nothing, not even its request id', async () => {
    const task = await createTask(service, owner, { dueTime: anHourAgo() });
    await writesNothing(async () => {
      const created = await create({ title: 'new', dueTime: anHourAgo(), externalId: 'e' }, 'checked');
      expect(created.task).toMatchObject({ title: 'new', ownerId: owner.userId, overdue: true });
      const updated = await edit(task.id, { title: 'renamed', status: TaskStatus.COMPLETED }, ['title', 'status']);
      expect(updated.task).toMatchObject({ id: task.id, title: 'renamed', completeTime: expect.any(Date) });
      expect(updated.task?.etag).not.toBe(task.etag);
      expect(await remove(task.id, task.etag)).toEqual({});
    });
    const { task: real } = await service.tasks.createTask({ task: Task.fromPartial({ title: 'the real one' }), requestId: 'checked' }, owner.as);
    expect(real?.title).toBe('the real one');
  });

  it('checks a batch to create, whole or in parts', async () => {
    await createTask(service, owner, { externalId: 'there' });
    const tasks = [{ title: 'new' }, { title: '' }, { title: 'x', externalId: 'there' }].map((fields) => Task.fromPartial(fields));
    await writesNothing(async () => {
      const { results } = await service.tasks.batchCreateTasks({ tasks, allowPartial: true, requestId: 'checked-batch', validateOnly }, owner.as);
      expect(results.map(({ task, error }) => task?.title ?? error?.message)).toEqual(['new', expect.any(String), 'tasks[2].external_id: a task with this external id exists']);
      expect(await invalidFields(service.tasks.batchCreateTasks({ tasks, validateOnly }, owner.as))).toEqual(['tasks[1].title']);
    });
  });

  it('wakes nobody who waits for events', async () => {
    await create({});
    const { events } = await service.internal.pullEvents({ pageSize: 5000 }, await service.asService('scheduler'));
    expect(events.map(({ change }) => change?.after?.title)).not.toContain('x');
  });

  it('is refused for what the real one is refused for', async () => {
    const done = await createTask(service, owner, { status: TaskStatus.COMPLETED, externalId: 'taken' });
    await writesNothing(async () => {
      expect(await invalidFields(create({ title: '', dueDate: 'x', dueZone: 'y' }))).toEqual(['task.title', 'task.due_date', 'task.due_zone']);
      expect(await refused(create({ externalId: 'taken' }))).toEqual({ kind: 'already_exists', reason: 'EXTERNAL_ID_TAKEN' });
      expect(await refused(create({ assigneeId: stranger.userId }))).toMatchObject({ kind: 'unavailable' });
      expect(await refused(edit(done.id, { assigneeId: stranger.userId }, ['assignee_id']))).toMatchObject({ kind: 'unavailable' });
      expect(await refused(edit(done.id, { status: TaskStatus.CANCELLED }, ['status']))).toMatchObject({ reason: 'ILLEGAL_STATUS_TRANSITION' });
      expect(await refused(edit(done.id, { title: 'x', etag: 'stale' }, ['title']))).toEqual({ kind: 'aborted', reason: 'ETAG_MISMATCH' });
      expect(await refused(edit(done.id, { title: 'x' }, ['title'], stranger))).toMatchObject({ reason: 'TASK_NOT_FOUND' });
      expect(await refused(remove(done.id, 'stale'))).toEqual({ kind: 'aborted', reason: 'ETAG_MISMATCH' });
      expect(await refused(remove(done.id, '', stranger))).toMatchObject({ reason: 'TASK_NOT_FOUND' });
    });
  });
});
