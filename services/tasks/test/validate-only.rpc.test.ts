import { describe, expect, it } from '@jest/globals';
import { Task, TaskStatus } from '#contract/tasks/v1/tasks';
import { invalidFields, refused } from '#dev/testing';
import {
  anHourAgo,
  createTask,
  creations,
  deletions,
  errorOf,
  externalIdTaken,
  staleEtag,
  taskOf,
  update,
} from './factories.ts';
import { useTasks, useUsers } from './start-tasks.ts';
import { dueAt, dueOn } from './due.ts';

describe('G7 a call that only checks', () => {
  const service = useTasks();
  const [owner, stranger] = useUsers(service, 'user', 'user');

  const validateOnly = true;
  const create = (fields: Partial<Task>, requestId = '') =>
    service.tasks.createTask({ task: Task.fromPartial({ title: 'x', ...fields }), requestId, validateOnly }, owner.as);
  const edit = (id: string, fields: Partial<Task>, mask: string[], user = owner) =>
    service.tasks.updateTask({ ...update(id, fields, mask), validateOnly }, user.as);
  const remove = (taskId: string, etag = '', user = owner) =>
    service.tasks.deleteTask({ taskId, etag, validateOnly }, user.as);

  /** Everything that there is in the database. */
  async function everything(): Promise<unknown[]> {
    const rows: unknown[] = [];
    for (const table of ['tasks', 'task_due', 'events', 'event_stream_heads', 'idempotency_records'])
      rows.push(await service.sql(`select * from ${table} order by 1`));
    return rows;
  }

  async function writesNothing(call: () => Promise<unknown>): Promise<void> {
    const before = await everything();
    await call();
    expect(await everything()).toEqual(before);
  }

  it('answers as the real one and writes nothing, not even its request id', async () => {
    const task = await createTask(service, owner, { ...dueAt(anHourAgo()) });
    await writesNothing(async () => {
      const created = await create({ title: 'new', ...dueAt(anHourAgo()), externalId: 'e' }, 'checked');
      expect(created.task).toMatchObject({ title: 'new', ownerId: owner.userId, overdue: true });
      const updated = await edit(task.id, { title: 'renamed', status: TaskStatus.COMPLETED }, ['title', 'status']);
      expect(updated.task).toMatchObject({ id: task.id, title: 'renamed', completeTime: expect.any(Date) });
      expect(updated.task?.etag).not.toBe(task.etag);
      expect(await remove(task.id, task.etag)).toEqual({});
    });
    const { task: real } = await service.tasks.createTask(
      { task: Task.fromPartial({ title: 'the real one' }), requestId: 'checked' },
      owner.as,
    );
    expect(real?.title).toBe('the real one');
  });

  it('answers for a request id that was used as the real one does', async () => {
    const real = await service.tasks.createTask(
      { task: Task.fromPartial({ title: 'first' }), requestId: 'used' },
      owner.as,
    );
    await writesNothing(async () => {
      expect(await create({ title: 'first' }, 'used')).toEqual(real);
      expect(await refused(create({ title: 'another' }, 'used'))).toMatchObject({ reason: 'REQUEST_ID_REUSED' });
    });
  });

  it('checks a batch to create, whole or in parts', async () => {
    await createTask(service, owner, { externalId: 'there' });
    const requests = creations(
      [{ title: 'new' }, { title: '' }, { title: 'x', externalId: 'there' }].map((fields) => Task.fromPartial(fields)),
    );
    await writesNothing(async () => {
      const { results } = await service.tasks.batchCreateTasks(
        { requests, allowPartial: true, requestId: 'checked-batch', validateOnly },
        owner.as,
      );
      expect(results.map((result) => taskOf(result)?.title ?? errorOf(result)?.message)).toEqual([
        'new',
        expect.any(String),
        'requests[2].task.external_id: a task with this external id exists',
      ]);
      expect(await invalidFields(service.tasks.batchCreateTasks({ requests, validateOnly }, owner.as))).toEqual([
        'requests[1].task.title',
      ]);
    });
  });

  it('checks a batch to change and one to delete, and answers as the real one', async () => {
    const tasks = [await createTask(service, owner), await createTask(service, owner)];
    const ids = tasks.map(({ id }) => id);
    const renames = ids.map((id) => update(id, { title: 'renamed' }));
    await writesNothing(async () => {
      const changed = await service.tasks.batchUpdateTasks(
        { requests: renames, requestId: 'checked-change', validateOnly },
        owner.as,
      );
      expect(changed.results.map((result) => taskOf(result)?.title)).toEqual(['renamed', 'renamed']);
      const parts = await service.tasks.batchUpdateTasks(
        { requests: renames, allowPartial: true, validateOnly },
        stranger.as,
      );
      expect(parts.results.map((result) => errorOf(result)?.message)).toEqual([
        'requests[0].task.id: no such task',
        'requests[1].task.id: no such task',
      ]);
      const requests = deletions(ids);
      const remove = (etag: string, requestId = '') =>
        service.tasks.batchDeleteTasks(
          { requests: requests.map((request) => ({ ...request, etag })), requestId, validateOnly },
          owner.as,
        );
      expect((await remove('', 'checked-removal')).results).toEqual([{ result: undefined }, { result: undefined }]);
      expect(await refused(remove('stale'))).toEqual(staleEtag);
    });
    // A request id that was only checked is free.
    await service.tasks.batchUpdateTasks({ requests: renames, requestId: 'checked-change' }, owner.as);
    await service.tasks.batchDeleteTasks({ requests: deletions(ids), requestId: 'checked-removal' }, owner.as);
  });

  it('checks whether a task can be brought back', async () => {
    const { id } = await createTask(service, owner, { externalId: 'back' });
    await service.tasks.deleteTask({ taskId: id }, owner.as);
    const undelete = (user = owner, etag = '') =>
      service.tasks.undeleteTask({ taskId: id, etag, requestId: 'checked-return', validateOnly }, user.as);
    await writesNothing(async () => {
      expect((await undelete()).task).toMatchObject({ id, deleteTime: undefined });
      expect(await refused(undelete(owner, 'stale'))).toMatchObject({ reason: 'ETAG_MISMATCH' });
      expect(await refused(undelete(stranger))).toMatchObject({ reason: 'TASK_NOT_FOUND' });
    });
    await createTask(service, owner, { externalId: 'back' });
    await writesNothing(async () => expect(await refused(undelete())).toEqual(externalIdTaken));
  });

  it('wakes nobody who waits for events', async () => {
    await create({});
    const { events } = await service.internal.pullEvents({ pageSize: 5000 }, await service.asService('scheduler'));
    expect(events.map(({ change }) => change?.after?.title)).not.toContain('x');
  });

  it('is refused for what the real one is refused for', async () => {
    const done = await createTask(service, owner, { status: TaskStatus.COMPLETED, externalId: 'taken' });
    await writesNothing(async () => {
      expect(await invalidFields(create({ title: '', ...dueOn('2026-02-30', 'y') }))).toEqual([
        'task.title',
        'task.due_day.date',
        'task.due_day.time_zone',
      ]);
      expect(await refused(create({ externalId: 'taken' }))).toEqual(externalIdTaken);
      expect(await refused(create({ assigneeId: stranger.userId }))).toMatchObject({ kind: 'unavailable' });
      expect(await refused(edit(done.id, { assigneeId: stranger.userId }, ['assignee_id']))).toMatchObject({
        kind: 'unavailable',
      });
      expect(await refused(edit(done.id, { status: TaskStatus.CANCELLED }, ['status']))).toMatchObject({
        reason: 'ILLEGAL_STATUS_TRANSITION',
      });
      expect(await refused(edit(done.id, { title: 'x', etag: 'stale' }, ['title']))).toEqual(staleEtag);
      expect(await refused(edit(done.id, { title: 'x' }, ['title'], stranger))).toMatchObject({
        reason: 'TASK_NOT_FOUND',
      });
      expect(await refused(remove(done.id, 'stale'))).toEqual(staleEtag);
      expect(await refused(remove(done.id, '', stranger))).toMatchObject({ reason: 'TASK_NOT_FOUND' });
    });
  });
});
