import { describe, expect, it } from '@jest/globals';
import { TaskStatus } from '#contract/tasks/v1/tasks';
import { statuses } from '../src/domain/task-enums.ts';
import { refusal } from '#dev/testing';
import { createTask, update } from './factories.ts';
import { useTasks, useUsers } from './start-tasks.ts';

const { PENDING, IN_PROGRESS, COMPLETED, CANCELLED } = TaskStatus;
const targets: Readonly<Record<string, readonly TaskStatus[]>> = {
  [PENDING]: [PENDING, IN_PROGRESS, COMPLETED, CANCELLED],
  [IN_PROGRESS]: [PENDING, IN_PROGRESS, COMPLETED, CANCELLED],
  [COMPLETED]: [PENDING, COMPLETED],
  [CANCELLED]: [PENDING, CANCELLED],
};
const moves = statuses.flatMap((from) =>
  statuses.map((to) => ({ from, to, legal: targets[from]?.includes(to) ?? false })),
);

describe('C5 the status of a task', () => {
  const service = useTasks();
  const [owner] = useUsers(service, 'user');

  const move = async (from: TaskStatus, to: TaskStatus) => {
    const task = await createTask(service, owner, { status: from });
    return {
      task,
      moving: service.tasks.updateTask(update(task.id, { status: to, title: 'moved' }), owner.as),
    };
  };

  it.each(moves.filter(({ legal }) => legal))('may go from $from to $to', async ({ from, to }) => {
    const { task, moving } = await move(from, to);
    const { task: moved } = await moving;
    expect(moved).toMatchObject({ status: to, title: 'moved' });
    // Set when it is completed, kept while it stays so, cleared when it is open again.
    const expected = to !== COMPLETED ? undefined : from === COMPLETED ? task.completeTime : moved?.updateTime;
    expect(moved?.completeTime).toEqual(expected);
    expect((await service.tasks.getTask({ taskId: task.id }, owner.as)).task).toEqual(moved);
  });

  it.each(moves.filter(({ legal }) => !legal))('may not go from $from to $to', async ({ from, to }) => {
    const { task, moving } = await move(from, to);
    const { kind, reason, details } = await refusal(moving);
    const plain = (status: TaskStatus): string => status.replace('TASK_STATUS_', '');
    expect([kind, reason]).toEqual(['failed_precondition', 'ILLEGAL_STATUS_TRANSITION']);
    expect(details.preconditions).toEqual([
      {
        type: 'TASK_STATUS',
        subject: `tasks/${task.id}`,
        description: `a task that is ${plain(from)} cannot become ${plain(to)}`,
      },
    ]);
    expect((await service.tasks.getTask({ taskId: task.id }, owner.as)).task).toEqual(task);
  });
});
