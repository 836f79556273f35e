import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Task, TaskEventType, type TaskEvent } from '#contract/tasks/v1/tasks';
import { refusal, refused } from '../../test/refusals.ts';
import { anHourAgo, createTask, update } from './factories.ts';
import { settle, sync, watch } from './mirror.ts';
import { startTasks, type TestTasks, type TestUser } from './start-tasks.ts';

describe('what happened to tasks', () => {
  let service: TestTasks;
  let owner: TestUser;
  beforeAll(async () => {
    service = await startTasks({ tidyIntervalMs: 50 });
    owner = await service.newUser();
  });
  afterAll(() => service.stop());

  const history = async (taskId: string, user: TestUser, pageSize = 0): Promise<TaskEvent[]> => {
    const all: TaskEvent[] = [];
    let pageToken = '';
    do {
      const page = await service.tasks.listTaskEvents({ taskId, pageSize, pageToken }, user.as);
      all.push(...page.events);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return all;
  };

  it('C17 is told for every way of writing, in order, with actor, call and what was before and after', async () => {
    const admin = await service.newUser('admin');
    const { results } = await service.tasks.batchCreateTasks({ tasks: [Task.fromPartial({ title: 'one', dueTime: anHourAgo() })] }, owner.as);
    const created = results[0]?.task as Task;
    const taskId = created.id;
    const { task: second } = await service.tasks.updateTask(update(taskId, { title: 'two' }, ['title']), { ...admin.as, callId: 'call-of-the-update' });
    await service.tasks.batchUpdateTasks({ requests: [update(taskId, { title: 'three' }, ['title']) as never] }, owner.as);
    await service.internal.sweepOverdue({}, await service.asService('scheduler'));
    await service.tasks.deleteTask({ taskId }, owner.as);
    await service.tasks.undeleteTask({ taskId }, owner.as);
    await service.tasks.batchDeleteTasks({ taskIds: [taskId] }, owner.as);

    const told = await history(taskId, owner);
    const { CREATED, UPDATED, OVERDUE, DELETED, UNDELETED } = TaskEventType;
    expect(told.map(({ type, taskVersion }) => [type, taskVersion])).toEqual([
      [CREATED, 1n], [UPDATED, 2n], [UPDATED, 3n], [OVERDUE, 3n], [DELETED, 4n], [UNDELETED, 5n], [DELETED, 6n],
    ]);
    expect(told.map(({ actor }) => actor)).toEqual([owner.userId, admin.userId, owner.userId, 'service:scheduler', owner.userId, owner.userId, owner.userId]);
    expect(told[1]).toMatchObject({ callId: 'call-of-the-update', change: { before: created, after: second } });
    expect(await history(taskId, owner, 2)).toEqual(told);
    expect(await history(taskId, admin)).toEqual(told);
    expect(await refused(history(taskId, await service.newUser()))).toMatchObject({ kind: 'not_found' });
  });

  it('refuses a page token of another task', async () => {
    const [one, two] = [await createTask(service, owner), await createTask(service, owner)];
    await service.tasks.updateTask(update(one.id, { title: 'x' }, ['title']), owner.as);
    const { nextPageToken: pageToken } = await service.tasks.listTaskEvents({ taskId: one.id, pageSize: 1 }, owner.as);
    expect(await refused(service.tasks.listTaskEvents({ taskId: two.id, pageToken }, owner.as))).toEqual({ kind: 'invalid_argument', reason: 'PAGE_TOKEN_INVALID' });
  });

  it('Q9 is synchronised: everything in pages of any size, then changes and tombstones', async () => {
    const user = await service.newUser();
    const tasks: Task[] = [];
    for (let number = 0; number < 25; number += 1) tasks.push(await createTask(service, user, { title: `task ${number}` }));
    const copy = new Map<string, Task>();
    const syncToken = await sync(service, user, copy, { pageSize: 4 });
    expect([...copy.values()].sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(tasks);

    const [first, second] = tasks as [Task, Task];
    await service.tasks.deleteTask({ taskId: first.id }, user.as);
    const { task: changed } = await service.tasks.updateTask(update(second.id, { title: 'changed' }, ['title']), user.as);
    const added = await createTask(service, user);
    // Transactions of other tests in the same server may hold the news back.
    await settle(async () => {
      await sync(service, user, copy, { syncToken });
      expect([...copy.values()].sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual([changed, ...tasks.slice(2), added]);
    });
  });

  it('Q8 Q9 says when a position is older than what is kept, and goes on from a younger one', async () => {
    const user = await service.newUser();
    const watching = await watch(service, user);
    const old = watching.resumeToken;
    const task = await createTask(service, user);
    await watching.until(() => watching.news.some(({ event }) => event !== undefined));
    await watching.stop();
    await service.sql(`update events set create_time = now() - interval '91 days' where id <= (select max(id) from events where subject_id = $1)`, [task.id]);
    const left = async (): Promise<unknown> => (await service.sql('select 1 from event_audience where user_id = $1 union all select 1 from events where subject_id = $2', [user.userId, task.id])).length;
    await settle(async () => expect(await left()).toBe(0));

    const compacted = { kind: 'out_of_range', reason: 'RESUME_TOKEN_COMPACTED' };
    expect((await refusal(service.tasks.syncTasks({ syncToken: old }, user.as))).message).toContain('begin with SyncTasks without a token');
    expect(await refused(service.tasks.syncTasks({ syncToken: old }, user.as))).toEqual(compacted);
    expect(await refused(watch(service, user, old))).toEqual(compacted);
    const again = await watch(service, user, watching.resumeToken);
    await again.stop();
    expect((await service.tasks.syncTasks({}, user.as)).tasks).toEqual([task]);
  });
});
