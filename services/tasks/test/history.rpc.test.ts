import { describe, expect, it } from '@jest/globals';
import { Task, TaskEventType, type TaskEvent } from '#contract/tasks/v1/tasks';
import { readPages, refusal, refused } from '#dev/testing';
import { anHourAgo, createTask, creations, deletions, pageTokenInvalid, taskOf, update } from './factories.ts';
import { settle, sync, watch } from './mirror.ts';
import { useTasks, useUsers, type TestUser } from './start-tasks.ts';
import { dueAt } from './due.ts';

describe('what happened to tasks', () => {
  const service = useTasks({ maintenanceIntervalMs: 50 });
  const [owner] = useUsers(service, 'user');

  const history = async (taskId: string, user: TestUser, pageSize = 0): Promise<TaskEvent[]> => {
    const list = (pageToken: string) => service.tasks.listTaskEvents({ taskId, pageSize, pageToken }, user.as);
    return (await readPages(list)).flatMap(({ events }) => events);
  };

  it('C17 is told for every way of writing, in order, with actor, call and what was before and after', async () => {
    const admin = await service.newUser('admin');
    const { results } = await service.tasks.batchCreateTasks(
      { requests: creations([Task.fromPartial({ title: 'one', ...dueAt(anHourAgo()) })]) },
      owner.as,
    );
    const [created] = results.map(taskOf) as [Task];
    const taskId = created.id;
    const { task: second } = await service.tasks.updateTask(update(taskId, { title: 'two' }), {
      ...admin.as,
      requestId: 'call-of-the-update',
    });
    await service.tasks.batchUpdateTasks({ requests: [update(taskId, { title: 'three' }) as never] }, owner.as);
    await service.sweep();
    await service.tasks.deleteTask({ taskId }, owner.as);
    await service.tasks.undeleteTask({ taskId }, owner.as);
    await service.tasks.batchDeleteTasks({ requests: deletions([taskId]) }, owner.as);

    const recorded = await history(taskId, owner);
    const { CREATED, UPDATED, OVERDUE, DELETED, UNDELETED } = TaskEventType;
    expect(recorded.map(({ type, taskVersion }) => [type, taskVersion])).toEqual([
      [CREATED, 1n],
      [UPDATED, 2n],
      [UPDATED, 3n],
      [OVERDUE, 3n],
      [DELETED, 4n],
      [UNDELETED, 5n],
      [DELETED, 6n],
    ]);
    expect(recorded.map(({ actor }) => actor)).toEqual([
      owner.userId,
      admin.userId,
      owner.userId,
      'service:scheduler',
      owner.userId,
      owner.userId,
      owner.userId,
    ]);
    expect(recorded[1]).toMatchObject({ requestId: 'call-of-the-update', change: { before: created, after: second } });
    expect(await history(taskId, owner, 2)).toEqual(recorded);
    expect(await history(taskId, admin)).toEqual(recorded);
    expect(await refused(history(taskId, await service.newUser()))).toMatchObject({ kind: 'not_found' });
  });

  it('refuses a page token of another task', async () => {
    const [one, two] = [await createTask(service, owner), await createTask(service, owner)];
    await service.tasks.updateTask(update(one.id, { title: 'x' }), owner.as);
    const { nextPageToken: pageToken } = await service.tasks.listTaskEvents({ taskId: one.id, pageSize: 1 }, owner.as);
    expect(await refused(service.tasks.listTaskEvents({ taskId: two.id, pageToken }, owner.as))).toEqual(
      pageTokenInvalid,
    );
  });

  it('Q9 is synchronised: everything in pages of any size, then changes and tombstones', async () => {
    const user = await service.newUser();
    const tasks: Task[] = [];
    for (let number = 0; number < 25; number += 1)
      tasks.push(await createTask(service, user, { title: `task ${number}` }));
    const copy = new Map<string, Task>();
    const syncToken = await sync(service, user, copy, { pageSize: 4 });
    expect([...copy.values()].sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(tasks);

    const [first, second] = tasks as [Task, Task];
    await service.tasks.deleteTask({ taskId: first.id }, user.as);
    const { task: changed } = await service.tasks.updateTask(update(second.id, { title: 'changed' }), user.as);
    const added = await createTask(service, user);
    // Transactions of other tests in the same server may hold the news back.
    await settle(async () => {
      await sync(service, user, copy, { syncToken });
      expect([...copy.values()].sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual([changed, ...tasks.slice(2), added]);
    });
  });

  it('Q9 gives pages that go with one caller and one sync token, and a sync token only at their end', async () => {
    const user = await service.newUser();
    for (let number = 0; number < 3; number += 1) await createTask(service, user);
    const ask = (request: { syncToken?: string; pageToken?: string }, as = user.as) =>
      service.tasks.syncTasks({ pageSize: 2, ...request }, as);
    const first = await ask({});
    expect([first.tasks.length, first.nextSyncToken]).toEqual([2, '']);
    const pageToken = first.nextPageToken;
    const last = await ask({ pageToken });
    expect([last.tasks.length, last.nextPageToken]).toEqual([1, '']);

    expect(await refused(ask({ pageToken, syncToken: last.nextSyncToken }))).toEqual(pageTokenInvalid);
    expect(await refused(ask({ pageToken: last.nextSyncToken }))).toEqual(pageTokenInvalid);
    expect(await refused(ask({ pageToken }, (await service.newUser()).as))).toEqual(pageTokenInvalid);
    expect(await refused(ask({ syncToken: pageToken }))).toMatchObject({ reason: 'RESUME_TOKEN_INVALID' });
  });

  it('Q8 Q9 says when a position is older than what is kept, and goes on from a younger one', async () => {
    const user = await service.newUser();
    const watching = await watch(service, user);
    const old = watching.resumeToken;
    const task = await createTask(service, user);
    await watching.until(() => watching.news.some(({ event }) => event !== undefined));
    await watching.stop();
    await service.sql(
      `update events set create_time = now() - interval '91 days' where id <= (select max(id) from events where subject_id = $1)`,
      [task.id],
    );
    const left = async (): Promise<unknown> =>
      (
        await service.sql(
          'select 1 from event_audience where user_id = $1 union all select 1 from events where subject_id = $2',
          [user.userId, task.id],
        )
      ).length;
    await settle(async () => expect(await left()).toBe(0));

    const compacted = { kind: 'out_of_range', reason: 'RESUME_TOKEN_COMPACTED' };
    expect((await refusal(service.tasks.syncTasks({ syncToken: old }, user.as))).message).toContain(
      'begin with SyncTasks without a token',
    );
    expect(await refused(service.tasks.syncTasks({ syncToken: old }, user.as))).toEqual(compacted);
    expect(await refused(watch(service, user, old))).toEqual(compacted);
    const again = await watch(service, user, watching.resumeToken);
    await again.stop();
    expect((await service.tasks.syncTasks({}, user.as)).tasks).toEqual([task]);
  });
});
