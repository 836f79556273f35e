import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TaskStatus, UndeleteTaskResponse, type Task } from '#contract/tasks/v1/tasks';
import { refused } from '../../test/refusals.ts';
import { anHourAgo, createTask, listAll, update } from './factories.ts';
import { startTasks, type TestTasks, type TestUser } from './start-tasks.ts';

const day = 24 * 3_600_000;
const gone = { kind: 'not_found', reason: 'TASK_NOT_FOUND' };

describe('C6 deleted tasks', () => {
  let service: TestTasks;
  let owner: TestUser;
  let stranger: TestUser;
  let admin: TestUser;
  beforeAll(async () => {
    service = await startTasks({ tidyIntervalMs: 20, config: { retentionDays: 7 } });
    [owner, stranger, admin] = await Promise.all([service.newUser(), service.newUser(), service.newUser('admin')]);
  });
  afterAll(() => service.stop());

  const remove = (task: Task) => service.tasks.deleteTask({ taskId: task.id }, owner.as);
  const undelete = (task: Task, user = owner, etag = '') => service.tasks.undeleteTask({ taskId: task.id, etag }, user.as);
  const deletedRow = async (task: Task) =>
    (await service.sql<{ delete_time: Date; purge_time: Date }>('select delete_time, purge_time from tasks where id = $1', [task.id]))[0];
  const overdueEvents = (task: Task) => service.sql('select 1 from events where type = $1 and subject_id = $2', ['TASK_EVENT_TYPE_OVERDUE', task.id]);
  const sweep = async () => service.internal.sweepOverdue({ batchSize: 1000 }, await service.asService('scheduler'));
  const typesOf = async (task: Task) =>
    (await service.sql<{ type: string }>('select type from events where subject_id = $1 order by sequence', [task.id])).map(({ type }) => type.replace('TASK_EVENT_TYPE_', ''));

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
    const task = await createTask(service, owner, { description: 'x', labels: ['a'], dueDate: '2026-03-29', dueZone: 'Europe/Berlin', externalId: 'back', assigneeId: owner.userId });
    await remove(task);
    const { task: back } = await undelete(task);
    expect(back).toEqual({ ...task, etag: back?.etag, updateTime: back?.updateTime });
    expect(back?.etag).not.toBe(task.etag);
    expect((await service.tasks.getTask({ taskId: task.id }, owner.as)).task).toEqual(back);
    expect(await typesOf(task)).toEqual(['CREATED', 'DELETED', 'UNDELETED']);
    await service.tasks.updateTask(update(task.id, { status: TaskStatus.COMPLETED }, ['status']), owner.as);
  });

  it('count again once they are back', async () => {
    const person = await service.newUser();
    const [kept, other] = [await createTask(service, person, { dueTime: anHourAgo() }), await createTask(service, person)];
    for (const task of [kept, other]) await service.tasks.deleteTask({ taskId: task.id }, person.as);
    expect((await service.tasks.getTaskStats({}, person.as)).stats).toMatchObject({ total: 0n, overdue: 0n });
    await undelete(kept, person);
    expect((await service.tasks.getTaskStats({}, person.as)).stats).toMatchObject({ total: 1n, pending: 1n, overdue: 1n, openMedium: 1n });
    expect((await listAll(service, person)).map(({ id }) => id)).toEqual([kept.id]);
  });

  it('are announced as overdue once for each due version, however often they come back', async () => {
    const task = await createTask(service, owner, { dueTime: anHourAgo() });
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
    expect(await refused(undelete(task))).toEqual({ kind: 'already_exists', reason: 'EXTERNAL_ID_TAKEN' });
    await remove(other);
    expect((await undelete(task)).task?.externalId).toBe('taken');
  });

  it('are there for their owner and administrators only', async () => {
    const task = await createTask(service, owner, { assigneeId: owner.userId });
    // A former assignee: users is down here, so nobody else can be assigned through the API.
    await service.sql('update tasks set assignee_id = $2 where id = $1', [task.id, stranger.userId]);
    expect(await refused(undelete(task, stranger))).toEqual({ kind: 'permission_denied', reason: 'NOT_OWNER' });
    await service.sql('update tasks set delete_time = now(), purge_time = now() + interval \'1 day\' where id = $1', [task.id]);
    expect(await refused(undelete(task, stranger))).toEqual(gone);
    expect(await refused(service.tasks.getTask({ taskId: task.id }, owner.as))).toEqual(gone);
  });

  it('come back for an administrator too', async () => {
    const task = await createTask(service, owner);
    await remove(task);
    expect((await undelete(task, admin)).task?.ownerId).toBe(owner.userId);
  });

  it('refuse a stale etag', async () => {
    const task = await createTask(service, owner);
    await remove(task);
    expect(await refused(undelete(task, owner, task.etag))).toEqual({ kind: 'aborted', reason: 'ETAG_MISMATCH' });
  });

  it('need no undeletion when they are not deleted', async () => {
    const task = await createTask(service, owner);
    expect((await undelete(task)).task).toEqual(task);
    expect(await typesOf(task)).toEqual(['CREATED']);
  });

  it('give one answer and one event to one request id', async () => {
    const task = await createTask(service, owner);
    await remove(task);
    const answers = await Promise.all(Array.from({ length: 10 }, () => service.tasks.undeleteTask({ taskId: task.id, requestId: 'back-again' }, owner.as)));
    expect(new Set(answers.map((answer) => Buffer.from(UndeleteTaskResponse.encode(answer).finish()).toString('hex'))).size).toBe(1);
    await remove(task);
    expect((await service.tasks.undeleteTask({ taskId: task.id, requestId: 'back-again' }, owner.as)).task).toEqual(answers[0]?.task);
    expect(await typesOf(task)).toEqual(['CREATED', 'DELETED', 'UNDELETED', 'DELETED']);
  });

  it('are gone for good after their purge time, and their history stays', async () => {
    const person = await service.newUser();
    const [task, kept] = [await createTask(service, person), await createTask(service, person)];
    await service.tasks.deleteTask({ taskId: task.id }, person.as);
    await service.sql('update tasks set purge_time = now() where id = $1', [task.id]);
    await purged(task);
    expect(await refused(undelete(task, person))).toEqual(gone);
    expect(await typesOf(task)).toEqual(['CREATED', 'DELETED']);
    expect((await service.tasks.getTaskStats({}, person.as)).stats?.total).toBe(1n);
    expect((await listAll(service, person)).map(({ id }) => id)).toEqual([kept.id]);
  });
});
