import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { Task, type CreateTaskResponse } from '#contract/tasks/v1/tasks';
import { patiently } from '#libs/grpc';
import { listAll, inAnHour } from './factories.ts';
import { startTasksCluster, type TasksCluster } from './start-cluster.ts';
import type { TestUser } from './start-tasks.ts';

describe('invariant 1: a tasks service that is killed', () => {
  let service: TasksCluster;
  let user: TestUser;
  let database: Client;
  beforeAll(async () => {
    service = await startTasksCluster();
    user = await service.newUser('Ada');
    database = new Client({ connectionString: service.cluster.databaseUrl('tasks') });
    await database.connect();
  });
  afterAll(async () => {
    await database.end();
    await service.stop();
  });

  const count = 60;
  const dueTime = inAnHour();
  const create = (number: number): Promise<CreateTaskResponse> => {
    const task = Task.fromPartial({ title: `task ${number}`, dueTime });
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
      const answer = await patiently(() => create(number));
      if (answer.task !== undefined) repeated.push(answer.task);
    }

    expect(repeated).toEqual(expect.arrayContaining(acknowledged));
    const tasks = await listAll(service, user, { pageSize: 500 });
    expect(tasks.map(({ id }) => id).sort()).toEqual(repeated.map(({ id }) => id).sort());
    const { stats } = await service.tasks.getTaskStats({}, user.as);
    expect([stats?.total, stats?.pending]).toEqual([BigInt(count), BigInt(count)]);
    const { rows } = await database.query(
      `select (select count(*)::int from events) as events, (select count(distinct subject_id)::int from events join tasks on tasks.id = subject_id) as recorded,
              (select max(sequence)::int from events) as last, (select count(*)::int from task_due) as dues`,
    );
    expect(rows).toEqual([{ events: count, recorded: count, last: count, dues: count }]);
  });
});
