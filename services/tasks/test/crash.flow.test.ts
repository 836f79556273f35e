import { describe, expect, it } from '@jest/globals';
import { Task, type CreateTaskResponse } from '#contract/tasks/v1/tasks';
import { retry } from '#dev/stubs';
import { listAll, inAnHour } from './factories.ts';
import { dueAt } from './due.ts';
import { usePeople, useTasksCluster } from './start-cluster.ts';

describe('invariant 1: a tasks service that is killed', () => {
  const service = useTasksCluster();
  const [user] = usePeople(service, 'Ada');
  const count = 60;
  const dueTime = inAnHour();
  const create = (number: number): Promise<CreateTaskResponse> => {
    const task = Task.fromPartial({ title: `task ${number}`, ...dueAt(dueTime) });
    return service.tasks.createTask({ task, requestId: `create-${number}` }, user.as);
  };

  it('E1 has lost nothing it acknowledged, and repeating every request leaves each task, its event and its count once', async () => {
    const acknowledged: Task[] = [];
    const first = Array.from({ length: count }, async (_, number) => {
      const { task } = await create(number);
      if (task !== undefined) acknowledged.push(task);
      if (acknowledged.length === 20) await service.cluster.kill('tasks', 'SIGKILL');
    });
    await Promise.allSettled(first);
    expect(acknowledged.length).toBeGreaterThanOrEqual(20);
    await service.cluster.start('tasks');

    const repeated: Task[] = [];
    for (let number = 0; number < count; number += 1) {
      const answer = await retry(() => create(number));
      if (answer.task !== undefined) repeated.push(answer.task);
    }

    expect(repeated).toEqual(expect.arrayContaining(acknowledged));
    const tasks = await listAll(service, user, { pageSize: 500 });
    expect(tasks.map(({ id }) => id).sort()).toEqual(repeated.map(({ id }) => id).sort());
    const { stats } = await service.tasks.getTaskStats({}, user.as);
    expect([stats?.totalCount, stats?.pendingCount]).toEqual([BigInt(count), BigInt(count)]);
    const rows = await service.sql(
      `select (select count(*)::int from events) as events, (select count(distinct subject_id)::int from events join tasks on tasks.id = subject_id) as recorded,
              (select max(sequence)::int from events) as last, (select count(*)::int from task_due) as dues`,
    );
    expect(rows).toEqual([{ events: count, recorded: count, last: count, dues: count }]);
  });
});
