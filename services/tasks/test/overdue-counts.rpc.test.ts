import { beforeEach, describe, expect, it } from '@jest/globals';
import { TaskStatus, type Task } from '#contract/tasks/v1/tasks';
import { waitUntil } from '#dev/cluster';
import { anHourAgo, createTask, inAnHour, listAll, update } from './factories.ts';
import { useTasks, type TestUser } from './start-tasks.ts';
import { dueAt } from './due.ts';

describe('the number of overdue tasks in statistics', () => {
  // Adds up all the time, so that it also happens in the middle of everything.
  const service = useTasks({ maintenanceIntervalMs: 20 });
  let owner: TestUser;
  let assignee: TestUser;
  beforeEach(async () => {
    [owner, assignee] = [await service.newUser(), await service.newUser()];
  });

  const sweep = async (): Promise<unknown> => service.sweep({ batchSize: 3 });
  const counted = async (user: TestUser): Promise<bigint | undefined> =>
    (await service.tasks.getTaskStats({}, user.as)).stats?.overdueCount;
  const listed = async (user: TestUser): Promise<bigint> =>
    BigInt((await listAll(service, user, { overdue: true })).length);
  const check = async (): Promise<void> => {
    for (const user of [owner, assignee]) expect(await counted(user)).toBe(await listed(user));
  };
  const edit = (task: Task, fields: Partial<Task>, mask: string[]): Promise<unknown> =>
    service.tasks.updateTask(update(task.id, fields, mask), owner.as);

  it('is what the list holds, before, while and after the sweep marks them, through every change', async () => {
    const tasks = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        createTask(service, owner, { ...dueAt(index < 9 ? anHourAgo() : inAnHour()) }),
      ),
    );
    const assigned = tasks.slice(0, 6).map(({ id }) => id);
    // Nobody can be asked whether the assignee exists here, so past the service; due rows follow their tasks.
    await service.sql(
      'with t as (update tasks set assignee_id = $2 where id = any ($1)) update task_due set assignee_id = $2 where task_id = any ($1)',
      [assigned, assignee.userId],
    );
    expect(await counted(owner)).toBe(9n);
    expect(await counted(assignee)).toBe(6n);
    const away = [
      (task: Task) => edit(task, { status: TaskStatus.COMPLETED }, ['status']),
      (task: Task) => edit(task, { ...dueAt(inAnHour()) }, ['due_time']),
      (task: Task) => edit(task, { assigneeId: '' }, ['assignee_id']),
      (task: Task) => service.tasks.deleteTask({ taskId: task.id }, owner.as),
    ];
    const back = [
      (task: Task) => edit(task, { status: TaskStatus.PENDING }, ['status']),
      (task: Task) => edit(task, { ...dueAt(anHourAgo()) }, ['due_time']),
      (task: Task) => edit(task, { title: 'changed' }, ['title']),
      (task: Task) => service.tasks.undeleteTask({ taskId: task.id }, owner.as),
    ];
    for (const changes of [away, back]) {
      for (const [index, task] of tasks.entries()) {
        if (index % 3 === 0) await sweep();
        await changes[index % 4]?.(task);
        await check();
      }
    }
  });

  it('grows by itself when a due time comes', async () => {
    const task = await createTask(service, owner, { ...dueAt(new Date(Date.now() + 700)) });
    await waitUntil(() => counted(owner), 1n);
    await sweep();
    expect(await counted(owner)).toBe(1n);
    await edit(task, { ...dueAt(inAnHour()) }, ['due_time']);
    expect(await counted(owner)).toBe(0n);
  });

  it('is kept as one row a person, or none', async () => {
    for (let index = 0; index < 5; index += 1) {
      await createTask(service, owner, { ...dueAt(anHourAgo()) });
      await sweep();
    }
    const rows = async (): Promise<unknown[]> =>
      service.sql('select owned::int, assigned::int from overdue_moves where person_id = $1', [owner.userId]);
    await waitUntil(rows, ({ length }) => length === 1);
    const owned = Number(await counted(owner));
    expect(owned).toBe(5);
  });
});
