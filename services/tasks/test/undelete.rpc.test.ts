import { describe, expect, it } from '@jest/globals';
import { TaskStatus, UndeleteTaskResponse, type Task } from '#contract/tasks/v1/tasks';
import { refused } from '#dev/testing';
import {
  anHourAgo,
  countDifferent,
  createTask,
  externalIdTaken,
  listAll,
  notOwner,
  staleEtag,
  taskNotFound,
  update,
} from './factories.ts';
import { useTasks, useUsers } from './start-tasks.ts';
import { dueAt, dueOn } from './due.ts';

const day = 24 * 3_600_000;

describe('C6 deleted tasks', () => {
  const service = useTasks({ maintenanceIntervalMs: 20, config: { retentionDays: 7 } });
  const [owner, stranger, admin] = useUsers(service, 'user', 'user', 'admin');

  const remove = (task: Task) => service.tasks.deleteTask({ taskId: task.id }, owner.as);
  const undelete = (task: Task, user = owner, etag = '') =>
    service.tasks.undeleteTask({ taskId: task.id, etag }, user.as);
  const deletedRow = async (task: Task) =>
    (
      await service.sql<{ delete_time: Date; purge_time: Date }>(
        'select delete_time, purge_time from tasks where id = $1',
        [task.id],
      )
    )[0];
  const overdueEvents = (task: Task) =>
    service.sql('select 1 from events where type = $1 and subject_id = $2', ['TASK_EVENT_TYPE_OVERDUE', task.id]);
  const sweep = async () => service.sweep({ batchSize: 1000 });
  const typesOf = async (task: Task) =>
    (
      await service.sql<{ type: string }>('select type from events where subject_id = $1 order by sequence', [task.id])
    ).map(({ type }) => type.replace('TASK_EVENT_TYPE_', ''));

  async function purged(task: Task): Promise<void> {
    while ((await deletedRow(task)) !== undefined);
  }

  it('are kept for the retention', async () => {
    const task = await createTask(service, owner);
    await remove(task);
    const row = await deletedRow(task);
    expect((row?.purge_time.getTime() ?? 0) - (row?.delete_time.getTime() ?? 0)).toBe(7 * day);
  });

  it('come back as they were, with a new etag', async () => {
    const task = await createTask(service, owner, {
      description: 'x',
      labels: ['a'],
      ...dueOn('2026-03-29', 'Europe/Berlin'),
      externalId: 'back',
      assigneeId: owner.userId,
    });
    await remove(task);
    const { task: back } = await undelete(task);
    expect(back).toEqual({ ...task, etag: back?.etag, updateTime: back?.updateTime });
    expect(back?.etag).not.toBe(task.etag);
    expect((await service.tasks.getTask({ taskId: task.id }, owner.as)).task).toEqual(back);
    expect(await typesOf(task)).toEqual(['CREATED', 'DELETED', 'UNDELETED']);
    await service.tasks.updateTask(update(task.id, { status: TaskStatus.COMPLETED }), owner.as);
  });

  it('count again once they are back', async () => {
    const person = await service.newUser();
    const [kept, other] = [
      await createTask(service, person, { ...dueAt(anHourAgo()) }),
      await createTask(service, person),
    ];
    for (const task of [kept, other]) await service.tasks.deleteTask({ taskId: task.id }, person.as);
    expect((await service.tasks.getTaskStats({}, person.as)).stats).toMatchObject({ totalCount: 0n, overdueCount: 0n });
    await undelete(kept, person);
    expect((await service.tasks.getTaskStats({}, person.as)).stats).toMatchObject({
      totalCount: 1n,
      pendingCount: 1n,
      overdueCount: 1n,
      openMediumCount: 1n,
    });
    expect((await listAll(service, person)).map(({ id }) => id)).toEqual([kept.id]);
  });

  it('are announced as overdue once for each due version, however often they come back', async () => {
    const task = await createTask(service, owner, { ...dueAt(anHourAgo()) });
    await sweep();
    await remove(task);
    await undelete(task);
    await sweep();
    expect(await overdueEvents(task)).toHaveLength(1);
    await remove(task);
    await sweep();
    expect(await service.sql('select 1 from task_due where task_id = $1', [task.id])).toEqual([]);
  });

  it('do not come back when their external id is taken meanwhile', async () => {
    const task = await createTask(service, owner, { externalId: 'taken' });
    await remove(task);
    const other = await createTask(service, owner, { externalId: 'taken' });
    expect(await refused(undelete(task))).toEqual(externalIdTaken);
    await remove(other);
    expect((await undelete(task)).task?.externalId).toBe('taken');
  });

  it('are there for their owner and administrators only', async () => {
    const task = await createTask(service, owner, { assigneeId: owner.userId });
    // A former assignee: users is down here, so nobody else can be assigned through the API.
    await service.sql('update tasks set assignee_id = $2 where id = $1', [task.id, stranger.userId]);
    expect(await refused(undelete(task, stranger))).toEqual(notOwner);
    await service.sql("update tasks set delete_time = now(), purge_time = now() + interval '1 day' where id = $1", [
      task.id,
    ]);
    expect(await refused(undelete(task, stranger))).toEqual(taskNotFound);
    expect(await refused(service.tasks.getTask({ taskId: task.id }, owner.as))).toEqual(taskNotFound);
  });

  it('come back for an administrator too', async () => {
    const task = await createTask(service, owner);
    await remove(task);
    expect((await undelete(task, admin)).task?.ownerId).toBe(owner.userId);
  });

  it('refuse a stale etag', async () => {
    const task = await createTask(service, owner);
    await remove(task);
    expect(await refused(undelete(task, owner, task.etag))).toEqual(staleEtag);
  });

  it('need no undeletion when they are not deleted', async () => {
    const task = await createTask(service, owner);
    expect((await undelete(task)).task).toEqual(task);
    expect(await typesOf(task)).toEqual(['CREATED']);
  });

  it('give one answer and one event to one request id', async () => {
    const task = await createTask(service, owner);
    await remove(task);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        service.tasks.undeleteTask({ taskId: task.id, requestId: 'back-again' }, owner.as),
      ),
    );
    expect(countDifferent(UndeleteTaskResponse, answers)).toBe(1);
    await remove(task);
    expect((await service.tasks.undeleteTask({ taskId: task.id, requestId: 'back-again' }, owner.as)).task).toEqual(
      answers[0]?.task,
    );
    expect(await typesOf(task)).toEqual(['CREATED', 'DELETED', 'UNDELETED', 'DELETED']);
  });

  it('are gone for good after their purge time, and their history stays', async () => {
    const person = await service.newUser();
    const [task, kept] = [await createTask(service, person), await createTask(service, person)];
    await service.tasks.deleteTask({ taskId: task.id }, person.as);
    await service.sql('update tasks set purge_time = now() where id = $1', [task.id]);
    await purged(task);
    expect(await refused(undelete(task, person))).toEqual(taskNotFound);
    expect(await typesOf(task)).toEqual(['CREATED', 'DELETED']);
    expect((await service.tasks.getTaskStats({}, person.as)).stats?.totalCount).toBe(1n);
    expect((await listAll(service, person)).map(({ id }) => id)).toEqual([kept.id]);
  });
});
