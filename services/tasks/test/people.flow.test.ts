import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CreateTaskResponse, NameResolution, Task, TasksServiceService, TaskStatus } from '#contract/tasks/v1/tasks';
import { openPublicClient } from '#libs/grpc';
import { createTask, listAll, refusal, refused, update } from './factories.ts';
import { startTasksCluster, type TasksCluster } from './start-cluster.ts';
import type { TestUser } from './start-tasks.ts';

describe('tasks and the people in them', () => {
  let service: TasksCluster;
  let ada: TestUser;
  let bob: TestUser;
  let eve: TestUser;
  beforeAll(async () => {
    service = await startTasksCluster({ replicas: { tasks: 2 } });
    [ada, bob, eve] = await Promise.all(['Ada', 'Bob', 'Eve'].map((name) => service.newUser(name))) as [TestUser, TestUser, TestUser];
  });
  afterAll(() => service.stop());

  const get = (taskId: string, user: TestUser) => service.tasks.getTask({ taskId }, user.as);

  it('name the owner and the assignee in every answer', async () => {
    const created = await service.tasks.createTask({ task: Task.fromPartial({ title: 'x', assigneeId: bob.userId }) }, ada.as);
    const names = { ownerName: 'Ada', assigneeName: 'Bob' };
    expect([created.nameResolution, created.task]).toMatchObject([NameResolution.COMPLETE, names]);
    const id = created.task?.id ?? '';
    expect(await get(id, bob)).toMatchObject({ nameResolution: NameResolution.COMPLETE, task: names });
    const updated = await service.tasks.updateTask(update(id, { assigneeId: eve.userId }, ['assignee_id']), ada.as);
    expect([updated.nameResolution, updated.task]).toMatchObject([NameResolution.COMPLETE, { ownerName: 'Ada', assigneeName: 'Eve' }]);
  });

  it('ask users once for a page of 60 tasks', async () => {
    await Promise.all(Array.from({ length: 60 }, (_, index) => createTask(service, ada, { assigneeId: index % 2 === 0 ? bob.userId : ada.userId })));
    const callId = 'list-with-names';
    const { tasks, nameResolution } = await service.tasks.listTasks({ pageSize: 60 }, { ...ada.as, callId });
    expect(nameResolution).toBe(NameResolution.COMPLETE);
    expect(tasks.every((task) => task.ownerName === 'Ada' && task.assigneeName !== '')).toBe(true);
    const calls = service.cluster.logs('users').split('\n').filter((line) => line.includes(callId) && line.includes('BatchGetUsers'));
    expect(calls).toHaveLength(1);
  });

  it('let an assignee read and change the status, and nothing else', async () => {
    const task = await createTask(service, ada, { assigneeId: bob.userId });
    const moved = await service.tasks.updateTask(update(task.id, { status: TaskStatus.COMPLETED }, ['status']), bob.as);
    expect(moved.task).toMatchObject({ status: TaskStatus.COMPLETED, completeTime: expect.any(Date) });
    const denied = { kind: 'permission_denied', reason: 'NOT_OWNER' };
    expect(await refused(service.tasks.updateTask(update(task.id, { title: 'mine' }, ['title']), bob.as))).toEqual(denied);
    expect(await refused(service.tasks.updateTask(update(task.id, { status: TaskStatus.PENDING }, ['status', 'assignee_id']), bob.as))).toEqual(denied);
    expect(await refused(service.tasks.deleteTask({ taskId: task.id }, bob.as))).toEqual(denied);
    expect((await get(task.id, ada)).task).toEqual(moved.task);
  });

  it('D4 hide a task from a former assignee and from strangers', async () => {
    const task = await createTask(service, ada, { assigneeId: bob.userId });
    const gone = { kind: 'not_found', reason: 'TASK_NOT_FOUND' };
    expect(await refused(get(task.id, eve))).toEqual(gone);
    await service.tasks.updateTask(update(task.id, {}, ['assignee_id']), ada.as);
    expect(await refused(get(task.id, bob))).toEqual(gone);
    expect(await refused(service.tasks.updateTask(update(task.id, { status: TaskStatus.COMPLETED }, ['status']), bob.as))).toEqual(gone);
    expect((await listAll(service, bob)).map(({ id }) => id)).not.toContain(task.id);
  });

  it('are both in the list of a person, owned and assigned, each once', async () => {
    const [carol, dave] = [await service.newUser('Carol'), await service.newUser('Dave')];
    const own = await createTask(service, carol, { assigneeId: carol.userId });
    const assigned = await createTask(service, dave, { assigneeId: carol.userId });
    await createTask(service, dave);
    const last = await createTask(service, carol);
    expect((await listAll(service, carol, { pageSize: 2 })).map(({ id }) => id)).toEqual([last.id, assigned.id, own.id]);
    expect((await listAll(service, carol, { statuses: [TaskStatus.PENDING], pageSize: 2 })).map(({ id }) => id)).toEqual([last.id, assigned.id, own.id]);
  });

  it('refuse an assignee who does not exist', async () => {
    const nobody = '0198c0de-0000-7000-8000-00000000dead';
    const failure = { kind: 'failed_precondition', reason: 'ASSIGNEE_NOT_FOUND' };
    expect(await refused(createTask(service, ada, { assigneeId: nobody }))).toEqual(failure);
    const task = await createTask(service, ada);
    expect(await refused(service.tasks.updateTask(update(task.id, { assigneeId: nobody }, ['assignee_id']), ada.as))).toEqual(failure);
  });

  it('give one answer and one task to one request id, sent to two replicas at once', async () => {
    const second = openPublicClient(TasksServiceService, service.cluster.address('tasks', 1));
    const request = { task: Task.fromPartial({ title: 'replicas', assigneeId: bob.userId }), requestId: 'two-replicas' };
    const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? service.tasks : second).createTask(request, ada.as)));
    second.close();
    expect(new Set(answers.map((answer) => Buffer.from(CreateTaskResponse.encode(answer).finish()).toString('hex'))).size).toBe(1);
    expect((await listAll(service, ada, { pageSize: 500 })).filter(({ title }) => title === 'replicas')).toHaveLength(1);
  });

  describe('while users does not answer', () => {
    it('are served without names, although it is only frozen', async () => {
      const task = await createTask(service, ada, { assigneeId: bob.userId });
      await service.cluster.kill('users', 'SIGSTOP');
      try {
        // Users stays frozen until all is answered: nobody has waited for it.
        const { tasks, nameResolution } = await service.tasks.listTasks({}, ada.as);
        expect([nameResolution, tasks[0]?.id, tasks[0]?.ownerName]).toEqual([NameResolution.UNAVAILABLE, task.id, '']);
        // F4: a short deadline is shared, not used up.
        const hurried = await service.tasks.getTask({ taskId: task.id }, { ...ada.as, timeoutMs: 900 });
        expect([hurried.nameResolution, hurried.task?.id]).toEqual([NameResolution.UNAVAILABLE, task.id]);
      } finally {
        await service.cluster.kill('users', 'SIGCONT');
      }
    });

    it('F3 answer reads and unassigned writes, refuse another assignee, and write nothing half', async () => {
      const task = await createTask(service, ada, { assigneeId: bob.userId });
      await service.cluster.kill('users', 'SIGKILL');
      try {
        expect(await get(task.id, bob)).toMatchObject({ nameResolution: NameResolution.UNAVAILABLE, task: { id: task.id, assigneeName: '' } });
        const before = await listAll(service, ada, { pageSize: 500 });
        const { kind, reason } = await refusal(createTask(service, ada, { assigneeId: bob.userId }));
        expect([kind, ['DEPENDENCY_UNAVAILABLE', 'CIRCUIT_OPEN'].includes(reason ?? '')]).toEqual(['unavailable', true]);
        expect(await refused(service.tasks.updateTask(update(task.id, { assigneeId: eve.userId }, ['assignee_id']), ada.as))).toMatchObject({ kind: 'unavailable' });
        expect(await listAll(service, ada, { pageSize: 500 })).toEqual(before);
        await createTask(service, ada, { assigneeId: ada.userId });
        await service.tasks.updateTask(update(task.id, { status: TaskStatus.IN_PROGRESS }, ['status']), bob.as);
      } finally {
        await service.cluster.start('users');
      }
    });

    it('are SERVING and answer after a restart with auth and users down, once they are back with names', async () => {
      await Promise.all([service.cluster.kill('users', 'SIGKILL'), service.cluster.kill('auth', 'SIGKILL')]);
      await service.cluster.restart('tasks');
      expect(await refused(service.tasks.listTasks({}, ada.as))).toEqual({ kind: 'unavailable', reason: 'KEYS_UNAVAILABLE' });
      await Promise.all([service.cluster.start('users'), service.cluster.start('auth')]);
      for (;;) {
        const answer = await service.tasks.listTasks({}, ada.as).catch(() => undefined);
        if (answer?.nameResolution === NameResolution.COMPLETE) break;
      }
    });
  });
});
