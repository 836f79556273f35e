import { describe, expect, it } from '@jest/globals';
import type { CallError } from '#dev/stubs';
import { useTasksCluster } from './start-cluster.ts';
import type { TestUser } from './start-tasks.ts';

const overrides = {
  '*': 'unlimited',
  'taskflow.tasks.v1.TasksService/ListTasks': { requests: 20, perSeconds: 3600 },
  'taskflow.tasks.v1.TasksService/GetTaskStats': { requests: 5, perSeconds: 3600 },
};

const service = useTasksCluster({
  replicas: { tasks: 2 },
  // Patient, since a machine that is busy with other tests must not look like a Redis that is gone.
  env: { TASKFLOW_RATE_LIMITS: JSON.stringify(overrides), TASKFLOW_LIMITS_TIMEOUT_MS: '5000' },
});

/** The two replicas in turn. */
const tasks = (index: number) => (index % 2 === 0 ? service.tasks : service.second);

/** The outcomes of parallel calls, made in turn on both replicas. */
const outcomesOf = (calls: number, one: (index: number) => Promise<unknown>): Promise<(string | undefined)[]> =>
  Promise.all(
    Array.from({ length: calls }, (_, index) =>
      one(index).then(
        () => 'OK',
        (error: CallError) => error.reason,
      ),
    ),
  );

const count = (outcomes: (string | undefined)[], outcome: string): number =>
  outcomes.filter((one) => one === outcome).length;
const listAs = (user: TestUser) => (index: number) => tasks(index).listTasks({}, user.as);
const statsAs = (user: TestUser) => (index: number) => tasks(index).getTaskStats({}, user.as);

describe('rate limits, with two replicas of tasks', () => {
  it('D19, F12: each user gets exactly what is allowed for a method, from both replicas together', async () => {
    const [ada, grace] = [await service.newUser('Ada'), await service.newUser('Grace')];
    const outcomes = await outcomesOf(50, listAs(ada));
    expect([count(outcomes, 'OK'), count(outcomes, 'RATE_LIMITED')]).toEqual([20, 30]);
    await expect(listAs(ada)(0)).rejects.toMatchObject({
      kind: 'resource_exhausted',
      details: {
        retryAfterMs: expect.any(Number),
        quota: [
          { subject: `user:${ada.userId}`, description: '20 per 3600 s for taskflow.tasks.v1.TasksService/ListTasks' },
        ],
      },
    });
    await statsAs(ada)(0);
    await listAs(grace)(0);
  });
});
