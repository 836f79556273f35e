import { describe, expect, it } from '@jest/globals';
import { TaskPriority, TaskStatus, UpdateTaskRequest, type Task } from '#contract/tasks/v1/tasks';
import { refusal, refused } from '#dev/testing';
import { dueAt, dueOn } from './due.ts';
import { createTask, inAnHour, notOwner, update } from './factories.ts';
import { useTasks, useUsers } from './start-tasks.ts';

describe('an update', () => {
  const service = useTasks();
  const [owner] = useUsers(service, 'user');

  const { COMPLETED, IN_PROGRESS, PENDING } = TaskStatus;
  const full = (): Partial<Task> => ({
    title: 'full',
    description: 'of everything',
    status: IN_PROGRESS,
    priority: TaskPriority.HIGH,
    ...dueAt(inAnHour()),
    assigneeId: owner.userId,
    labels: ['a', 'b'],
    externalId: `external-${Math.random()}`,
  });
  const send = async (task: Partial<Task>, updateMask?: string[], user = owner): Promise<Task> => {
    const answer = await service.tasks.updateTask(UpdateTaskRequest.fromPartial({ task, updateMask }), user.as);
    return answer.task as Task;
  };
  /** What an update changes anyhow. */
  const written = { etag: expect.any(String), updateTime: expect.any(Date) };

  it.each([
    ['absent', undefined],
    ['empty', []],
  ])('whose mask is %s changes what is set, and clears nothing', async (_, mask) => {
    const task = await createTask(service, owner, full());
    const changed = await send({ id: task.id, title: 'changed', labels: ['c'] }, mask);
    expect(changed).toEqual({ ...task, ...written, title: 'changed', labels: ['c'] });
    const done = await send({ id: task.id, etag: changed.etag, status: COMPLETED }, mask);
    expect(done).toEqual({ ...changed, ...written, status: COMPLETED, completeTime: expect.any(Date) });
    expect(await refused(send({ id: task.id, etag: task.etag, title: 'late' }, mask))).toMatchObject({
      reason: 'ETAG_MISMATCH',
    });
  });

  it('whose mask is * writes the task as it is given, and what is unset as a creation would', async () => {
    const task = await createTask(service, owner, full());
    const changed = await send({ id: task.id, title: 'only this' }, ['*']);
    expect(changed).toEqual({
      ...task,
      ...written,
      title: 'only this',
      description: '',
      status: PENDING,
      priority: TaskPriority.MEDIUM,
      due: undefined,
      effectiveDueTime: undefined,
      assigneeId: '',
      labels: [],
    });
  });

  it.each([[undefined], [['*']]])(
    'with the mask %p takes a task as it was read, and ignores the rest',
    async (mask) => {
      const task = await createTask(service, owner, full());
      const changed = await send(
        {
          ...task,
          title: 'changed',
          ownerId: '?',
          ownerName: 'Eve',
          overdue: true,
          createTime: new Date(0),
          externalId: 'another',
        },
        mask,
      );
      expect(changed).toEqual({ ...task, ...written, title: 'changed' });
    },
  );

  it('without a mask lets an assignee set the status, and nothing else', async () => {
    const assignee = await service.newUser();
    const task = await createTask(service, owner);
    await service.sql('update tasks set assignee_id = $1 where id = $2', [assignee.userId, task.id]);
    expect((await send({ id: task.id, status: IN_PROGRESS }, undefined, assignee)).status).toBe(IN_PROGRESS);
    expect(await refused(send({ id: task.id, title: 'mine' }, undefined, assignee))).toEqual(notOwner);
    expect(await refused(send({ id: task.id, title: 'mine', status: PENDING }, ['*'], assignee))).toEqual(notOwner);
  });

  it.each([
    [dueAt(inAnHour()), 'due_day', 'due_time'],
    [dueOn('2032-01-01', 'UTC'), 'due_time', 'due_day'],
  ])('refuses a mask that names the due that is not set', async (due, named, set) => {
    const task = await createTask(service, owner, full());
    const before = (await service.tasks.getTask({ taskId: task.id }, owner.as)).task;
    const { details } = await refusal(send({ id: task.id, ...due }, [named]));
    expect(details.violations).toMatchObject([
      { field: 'update_mask', description: `must name ${set}, which is set, in place of ${named}` },
    ]);
    expect((await service.tasks.getTask({ taskId: task.id }, owner.as)).task).toEqual(before);
  });

  it('in a batch has a mask of its own, or none', async () => {
    const tasks = [await createTask(service, owner, full()), await createTask(service, owner, full())];
    const [first, second] = tasks as [Task, Task];
    const requests = [
      UpdateTaskRequest.fromPartial({ task: { id: first.id, title: 'set' } }),
      update(second.id, { title: 'whole' }, ['*']),
    ];
    const { results } = await service.tasks.batchUpdateTasks({ requests }, owner.as);
    expect(results.map(({ result }) => result?.value)).toMatchObject([
      { title: 'set', labels: first.labels },
      { title: 'whole', labels: [] },
    ]);
  });

  it('without a mask is another request than the same with one', async () => {
    const task = await createTask(service, owner, full());
    const request = (updateMask?: string[]) =>
      service.tasks.updateTask(
        UpdateTaskRequest.fromPartial({ task: { id: task.id, title: 'once' }, updateMask, requestId: 'masked' }),
        owner.as,
      );
    expect(await request()).toEqual(await request());
    expect(await refused(request(['*']))).toMatchObject({ reason: 'REQUEST_ID_REUSED' });
  });
});
