import { describe, expect, it } from '@jest/globals';
import { Task, TaskStatus, type TaskPriority, type TaskStats } from '#contract/tasks/v1/tasks';
import { priorities, statuses } from '../src/domain/task-enums.ts';
import { anHourAgo, createTask, creations, deletions, inAnHour, listAll, taskOf, update } from './factories.ts';
import { dueAt } from './due.ts';
import { usePeople, useTasksCluster } from './start-cluster.ts';
import type { TestUser } from './start-tasks.ts';

/** Numerical Recipes' generator: the same workload in every run. */
function seeded(seed: number): <T>(values: readonly T[]) => T {
  let state = seed;
  return (values) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    // The low bits of such a generator hardly change.
    return values[Math.floor((state / 2 ** 32) * values.length)] as (typeof values)[number];
  };
}

function counted(tasks: Task[]): TaskStats {
  const count = (matches: (task: Task) => boolean): bigint => BigInt(tasks.filter(matches).length);
  const isOpen = (task: Task): boolean => task.status === TaskStatus.PENDING || task.status === TaskStatus.IN_PROGRESS;
  const [pendingCount, inProgressCount, completedCount, cancelledCount] = statuses.map((status) =>
    count((task) => task.status === status),
  ) as [bigint, bigint, bigint, bigint];
  const [openLowCount, openMediumCount, openHighCount, openUrgentCount] = priorities.map((priority) =>
    count((task) => isOpen(task) && task.priority === priority),
  ) as [bigint, bigint, bigint, bigint];
  return {
    totalCount: BigInt(tasks.length),
    pendingCount,
    inProgressCount,
    completedCount,
    cancelledCount,
    overdueCount: count((task) => task.overdue),
    openLowCount,
    openMediumCount,
    openHighCount,
    openUrgentCount,
  };
}

describe('statistics', () => {
  const service = useTasksCluster();
  const people = usePeople(service, 'Ada', 'Bob', 'Eve');

  it('are zeros for somebody without tasks', async () => {
    const { stats } = await service.tasks.getTaskStats({}, (await service.newUser('Nobody')).as);
    expect(stats).toEqual(counted([]));
  });

  it('D23 are exactly what the list holds, under the contract’s names, after a random workload by three people at once', async () => {
    const workload = people.map(async (user, seed) => {
      const pick = seeded(seed + 1);
      const mine: Task[] = [];
      for (let step = 0; step < 200; step += 1) await act(user, mine, pick);
    });
    await Promise.all(workload);

    const admin = await service.admin();
    for (const user of people) {
      const { stats } = await service.tasks.getTaskStats({}, user.as);
      const mine = await listAll(service, user, { pageSize: 500 });
      expect(stats).toEqual(counted(mine));
      expect(stats?.overdueCount).toBeGreaterThan(0n);
      const ofOwner = await service.tasks.getTaskStats({ ownerId: user.userId }, admin.as);
      expect(ofOwner.stats).toEqual(counted(mine.filter((task) => task.ownerId === user.userId)));
    }
  });

  /** One random write. A move that the status machine refuses is part of the workload. */
  async function act(user: TestUser, mine: Task[], pick: <T>(values: readonly T[]) => T): Promise<void> {
    const fields = {
      title: 'x',
      status: pick<TaskStatus>(statuses),
      priority: pick<TaskPriority>(priorities),
      assigneeId: pick(['', ...people.map(({ userId }) => userId)]),
      ...dueAt(pick([undefined, anHourAgo(), inAnHour()])),
    };
    const task = mine.length < 40 && pick([true, false]) ? undefined : pick([undefined, ...mine]);
    const kind = pick([
      'status',
      'priority',
      'assignee_id',
      'due_time',
      'everything',
      'delete',
      'delete and undelete',
      'batch',
    ]);
    if (task === undefined) {
      mine.push(await createTask(service, user, fields));
    } else if (kind === 'delete') {
      await service.tasks.deleteTask({ taskId: task.id }, user.as);
      mine.splice(mine.indexOf(task), 1);
    } else if (kind === 'delete and undelete') {
      await service.tasks.deleteTask({ taskId: task.id }, user.as);
      await service.tasks.undeleteTask({ taskId: task.id }, user.as);
    } else if (kind === 'batch') {
      await actOnMany(user, mine, fields);
    } else {
      const mask = kind === 'everything' ? ['status', 'priority', 'assignee_id', 'due_time'] : [kind];
      await service.tasks.updateTask(update(task.id, fields, mask), user.as).catch((error: { reason?: string }) => {
        if (error.reason !== 'ILLEGAL_STATUS_TRANSITION') throw error;
      });
    }
  }

  /** Parts of it may be refused by the status machine. */
  async function actOnMany(user: TestUser, mine: Task[], fields: Partial<Task>): Promise<void> {
    const created = await service.tasks.batchCreateTasks(
      { requests: creations([Task.fromPartial(fields), Task.fromPartial({ title: 'x' })]) },
      user.as,
    );
    mine.push(...created.results.flatMap((result) => taskOf(result) ?? []));
    const requests = mine
      .slice(0, 5)
      .map(({ id }) => update(id, fields, ['status', 'priority', 'assignee_id', 'due_time']));
    await service.tasks.batchUpdateTasks({ requests, allowPartial: true }, user.as);
    await service.tasks.batchDeleteTasks({ requests: deletions(mine.splice(0, 2).map(({ id }) => id)) }, user.as);
  }
});
