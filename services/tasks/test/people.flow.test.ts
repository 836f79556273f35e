import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  CreateTaskResponse,
  NameResolution,
  Task,
  type TasksServiceService,
  TaskStatus,
  type TaskResult,
} from '#contract/tasks/v1/tasks';
import { User } from '#contract/users/v1/users';
import { waitUntil } from '#dev/cluster';
import { refusal, refused } from '#dev/testing';
import { retry, type Stub } from '#dev/stubs';
import {
  countDifferent,
  createTask,
  creations,
  errorOf,
  listAll,
  notOwner,
  taskNotFound,
  taskOf,
  update,
} from './factories.ts';
import { usePeople, useTasksCluster } from './start-cluster.ts';
import type { TestUser } from './start-tasks.ts';

describe('tasks and the people in them', () => {
  const service = useTasksCluster({ replicas: { tasks: 2 } });
  const [ada, bob, eve] = usePeople(service, 'Ada', 'Bob', 'Eve');

  /** How many calls with this id users has answered. Log lines are buffered, so it waits for the line of a later call. */
  const callsToUsers = async (callId: string): Promise<number> => {
    const mark = `after-${callId}`;
    await service.users.getMe({}, { ...ada.as, requestId: mark });
    const lines = await waitUntil(
      async () => service.cluster.logs('users').split('\n'),
      (seen) => seen.some((line) => line.includes(`"${mark}"`)),
    );
    return lines.filter((line) => line.includes(`"${callId}"`) && line.includes('BatchGetUsers')).length;
  };
  /** Why nobody may be assigned now; '' = this user may. */
  const whyNotAssigned = async (assigneeId: string, replica = service.tasks): Promise<string> => {
    const call = replica.createTask({ task: Task.fromPartial({ title: 'x', assigneeId }), validateOnly: true }, ada.as);
    return call.then(
      () => '',
      ({ kind, reason }: { kind: string; reason?: string }) => (kind === 'unavailable' ? kind : (reason ?? '')),
    );
  };
  const get = (taskId: string, user: TestUser) => service.tasks.getTask({ taskId }, user.as);

  it('name the owner and the assignee in every answer', async () => {
    const created = await service.tasks.createTask(
      { task: Task.fromPartial({ title: 'x', assigneeId: bob.userId }) },
      ada.as,
    );
    const names = { ownerName: 'Ada', assigneeName: 'Bob' };
    expect([created.nameResolution, created.task]).toMatchObject([NameResolution.COMPLETE, names]);
    const id = created.task?.id ?? '';
    expect(await get(id, bob)).toMatchObject({ nameResolution: NameResolution.COMPLETE, task: names });
    const updated = await service.tasks.updateTask(update(id, { assigneeId: eve.userId }), ada.as);
    expect([updated.nameResolution, updated.task]).toMatchObject([
      NameResolution.COMPLETE,
      { ownerName: 'Ada', assigneeName: 'Eve' },
    ]);
  });

  it('B4 ask users at most once for a page of 60 tasks, and not again for people asked about a moment ago', async () => {
    await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        createTask(service, ada, { assigneeId: index % 2 === 0 ? bob.userId : ada.userId }),
      ),
    );
    let lists = 0;
    /** How many calls to users one more page has cost. */
    const list = async (): Promise<number> => {
      const callId = `list-with-names-${(lists += 1)}`;
      const { tasks, nameResolution } = await service.tasks.listTasks(
        { pageSize: 60 },
        { ...ada.as, requestId: callId },
      );
      expect(nameResolution).toBe(NameResolution.COMPLETE);
      expect(tasks.every((task) => task.ownerName === 'Ada' && task.assigneeName !== '')).toBe(true);
      return callsToUsers(callId);
    };
    const costs: number[] = [];
    const isEnough = (): boolean => costs.includes(1) && costs[costs.indexOf(1) + 1] === 0;
    await waitUntil(async () => costs.push(await list()), isEnough);
    expect(Math.max(...costs)).toBe(1);
  });

  it('have their new names in every replica’s answers, and are not assigned anything when they were disabled', async () => {
    const zoe = await service.newUser('Zoe');
    const task = await createTask(service, zoe);
    const replicas = [service.tasks, service.second];
    const assign = (replica: Stub<TasksServiceService>) =>
      replica.createTask(
        { task: Task.fromPartial({ title: 'x', assigneeId: zoe.userId }), validateOnly: true },
        ada.as,
      );
    for (const replica of replicas) expect((await assign(replica)).task?.assigneeName).toBe('Zoe');

    await service.users.updateUser(
      { user: User.fromPartial({ id: zoe.userId, displayName: 'Zoë' }), updateMask: ['display_name'] },
      zoe.as,
    );
    for (const replica of replicas) {
      await waitUntil(async () => (await replica.getTask({ taskId: task.id }, zoe.as)).task?.ownerName, 'Zoë');
    }

    await service.auth.disableAccount({ accountId: zoe.userId }, (await service.admin()).as);
    for (const replica of replicas) {
      await waitUntil(() => whyNotAssigned(zoe.userId, replica), 'ASSIGNEE_NOT_FOUND');
    }
  });

  it('let an assignee read and change the status, and nothing else', async () => {
    const task = await createTask(service, ada, { assigneeId: bob.userId });
    const moved = await service.tasks.updateTask(update(task.id, { status: TaskStatus.COMPLETED }), bob.as);
    expect(moved.task).toMatchObject({ status: TaskStatus.COMPLETED, completeTime: expect.any(Date) });
    expect(await refused(service.tasks.updateTask(update(task.id, { title: 'mine' }), bob.as))).toEqual(notOwner);
    expect(
      await refused(
        service.tasks.updateTask(update(task.id, { status: TaskStatus.PENDING }, ['status', 'assignee_id']), bob.as),
      ),
    ).toEqual(notOwner);
    expect(await refused(service.tasks.deleteTask({ taskId: task.id }, bob.as))).toEqual(notOwner);
    expect((await get(task.id, ada)).task).toEqual(moved.task);
  });

  it('D4 hide a task from a former assignee and from strangers', async () => {
    const task = await createTask(service, ada, { assigneeId: bob.userId });
    expect(await refused(get(task.id, eve))).toEqual(taskNotFound);
    await service.tasks.updateTask(update(task.id, {}, ['assignee_id']), ada.as);
    expect(await refused(get(task.id, bob))).toEqual(taskNotFound);
    expect(await refused(service.tasks.updateTask(update(task.id, { status: TaskStatus.COMPLETED }), bob.as))).toEqual(
      taskNotFound,
    );
    expect((await listAll(service, bob)).map(({ id }) => id)).not.toContain(task.id);
  });

  it('are both in the list of a person, owned and assigned, each once', async () => {
    const [carol, dave] = [await service.newUser('Carol'), await service.newUser('Dave')];
    const own = await createTask(service, carol, { assigneeId: carol.userId });
    const assigned = await createTask(service, dave, { assigneeId: carol.userId });
    await createTask(service, dave);
    const last = await createTask(service, carol);
    expect((await listAll(service, carol, { pageSize: 2 })).map(({ id }) => id)).toEqual([
      last.id,
      assigned.id,
      own.id,
    ]);
    expect(
      (await listAll(service, carol, { statuses: [TaskStatus.PENDING], pageSize: 2 })).map(({ id }) => id),
    ).toEqual([last.id, assigned.id, own.id]);
  });

  it('refuse an assignee who does not exist', async () => {
    const nobody = '0198c0de-0000-7000-8000-00000000dead';
    const failure = { kind: 'failed_precondition', reason: 'ASSIGNEE_NOT_FOUND' };
    expect(await refused(createTask(service, ada, { assigneeId: nobody }))).toEqual(failure);
    const { details } = await refusal(createTask(service, ada, { assigneeId: nobody }));
    expect(details.metadata).toEqual({ assigneeId: nobody });
    const task = await createTask(service, ada);
    expect(await refused(service.tasks.updateTask(update(task.id, { assigneeId: nobody }), ada.as))).toEqual(failure);
  });

  describe('in a batch', () => {
    const nobody = '0198c0de-0000-7000-8000-00000000dead';
    let gone: TestUser;
    beforeAll(async () => {
      gone = await service.newUser('Gone');
      await service.auth.disableAccount({ accountId: gone.userId }, (await service.admin()).as);
      await waitUntil(() => whyNotAssigned(gone.userId), 'ASSIGNEE_NOT_FOUND');
    });

    const assigned = (...ids: string[]): Task[] =>
      ids.map((assigneeId) => Task.fromPartial({ title: 'in a batch', assigneeId }));
    const titled = async () =>
      (await listAll(service, ada, { pageSize: 500 })).filter(({ title }) => title === 'in a batch').length;
    const failed = async (call: Promise<unknown>) => {
      const { kind, reason, details } = await refusal(call);
      return { kind, reason, fields: details.violations?.map(({ field }) => field) };
    };
    const failures = (results: TaskResult[]) =>
      results.map((result) => /^[^:]*/.exec(errorOf(result)?.message ?? '')?.[0]);

    it('end it whole when one is nobody or disabled, and its index is named', async () => {
      const before = await titled();
      for (const id of [nobody, gone.userId]) {
        const refusalAt = (field: string) => ({
          kind: 'failed_precondition',
          reason: 'ASSIGNEE_NOT_FOUND',
          fields: [field],
        });
        expect(
          await failed(service.tasks.batchCreateTasks({ requests: creations(assigned(bob.userId, id, '')) }, ada.as)),
        ).toEqual(refusalAt('requests[1].task.assignee_id'));
        const tasks = await Promise.all([1, 2, 3].map(() => createTask(service, ada)));
        const requests = tasks.map((task, index) => update(task.id, { assigneeId: index === 2 ? id : bob.userId }));
        expect(await failed(service.tasks.batchUpdateTasks({ requests }, ada.as))).toEqual(
          refusalAt('requests[2].task.assignee_id'),
        );
        const { results } = await service.tasks.batchGetTasks({ taskIds: tasks.map((task) => task.id) }, ada.as);
        expect(results.map(taskOf)).toEqual(tasks);
      }
      expect(await titled()).toBe(before);
    });

    it('fail alone when partial answers are allowed', async () => {
      const created = await service.tasks.batchCreateTasks(
        { requests: creations(assigned(bob.userId, nobody, gone.userId, '')), allowPartial: true },
        ada.as,
      );
      expect(failures(created.results)).toEqual([
        '',
        'requests[1].task.assignee_id',
        'requests[2].task.assignee_id',
        '',
      ]);
      const ids = created.results.flatMap((result) => taskOf(result)?.id ?? []);
      const requests = [
        update(ids[0] ?? '', { assigneeId: gone.userId }),
        update(ids[1] ?? '', { assigneeId: eve.userId }),
      ];
      const updated = await service.tasks.batchUpdateTasks({ requests, allowPartial: true }, ada.as);
      expect(failures(updated.results)).toEqual(['requests[0].task.assignee_id', '']);
      expect((await get(ids[0] ?? '', ada)).task?.assigneeName).toBe('Bob');
      expect((await get(ids[1] ?? '', ada)).task?.assigneeName).toBe('Eve');
    });

    it('B4 cost one call to users, however many they are', async () => {
      const others = await Promise.all(Array.from({ length: 12 }, (_, index) => service.newUser(`Person ${index}`)));
      const created = await service.tasks.batchCreateTasks(
        { requests: creations(assigned(...others.map(({ userId }) => userId))) },
        { ...ada.as, requestId: 'batch-create-people' },
      );
      expect(created.results.map((result) => taskOf(result)?.assigneeName)).toEqual(
        others.map((_, index) => `Person ${index}`),
      );
      expect(await callsToUsers('batch-create-people')).toBe(1);
      const more = await Promise.all(Array.from({ length: 12 }, (_, index) => service.newUser(`Other ${index}`)));
      const requests = created.results.map((result, index) =>
        update(taskOf(result)?.id ?? '', { assigneeId: more[index]?.userId ?? '' }),
      );
      const updated = await service.tasks.batchUpdateTasks(
        { requests },
        { ...ada.as, requestId: 'batch-update-people' },
      );
      expect(updated.results.map((result) => taskOf(result)?.assigneeName)).toEqual(
        more.map((_, index) => `Other ${index}`),
      );
      expect(await callsToUsers('batch-update-people')).toBe(1);
    });
  });

  it('give one answer and one task to one request id, sent to two replicas at once', async () => {
    const request = {
      task: Task.fromPartial({ title: 'replicas', assigneeId: bob.userId }),
      requestId: 'two-replicas',
    };
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        (index % 2 === 0 ? service.tasks : service.second).createTask(request, ada.as),
      ),
    );
    expect(countDifferent(CreateTaskResponse, answers)).toBe(1);
    expect((await listAll(service, ada, { pageSize: 500 })).filter(({ title }) => title === 'replicas')).toHaveLength(
      1,
    );
  });

  describe('while users does not answer', () => {
    it('are served with the names that are known, and without the others, although it is only frozen', async () => {
      const task = await createTask(service, ada, { assigneeId: bob.userId });
      // Nobody has asked about him before users was frozen.
      const fay = await service.newUser('Fay');
      await service.cluster.kill('users', 'SIGSTOP');
      try {
        // Users stays frozen until all is answered: nobody has waited for it.
        const known = await service.tasks.listTasks({}, ada.as);
        expect([known.nameResolution, known.tasks[0]]).toMatchObject([
          NameResolution.COMPLETE,
          { id: task.id, ownerName: 'Ada', assigneeName: 'Bob' },
        ]);
        const { id } = await createTask(service, fay);
        const { tasks, nameResolution } = await service.tasks.listTasks({}, fay.as);
        expect([nameResolution, tasks[0]?.id, tasks[0]?.ownerName]).toEqual([NameResolution.UNAVAILABLE, id, '']);
        // F4: a short deadline is shared, not used up.
        const hurried = await retry(() => service.tasks.getTask({ taskId: id }, { ...fay.as, timeoutMs: 900 }));
        expect([hurried.nameResolution, hurried.task?.id]).toEqual([NameResolution.UNAVAILABLE, id]);
      } finally {
        await service.cluster.kill('users', 'SIGCONT');
      }
    });

    it('F3 answer reads and unassigned writes, refuse another assignee, and write nothing half', async () => {
      const task = await createTask(service, ada, { assigneeId: bob.userId });
      const gil = await service.newUser('Gil');
      await service.cluster.kill('users', 'SIGKILL');
      try {
        const names = { ownerName: 'Ada', assigneeName: 'Bob' };
        expect(await get(task.id, bob)).toMatchObject({
          nameResolution: NameResolution.COMPLETE,
          task: { id: task.id, ...names },
        });
        const before = await listAll(service, ada, { pageSize: 500 });
        const { kind, reason } = await refusal(createTask(service, ada, { assigneeId: gil.userId }));
        expect([kind, ['DEPENDENCY_UNAVAILABLE', 'CIRCUIT_OPEN'].includes(reason ?? '')]).toEqual([
          'unavailable',
          true,
        ]);
        expect(
          await refused(service.tasks.updateTask(update(task.id, { assigneeId: gil.userId }), ada.as)),
        ).toMatchObject({ kind: 'unavailable' });
        expect(await listAll(service, ada, { pageSize: 500 })).toEqual(before);
        await createTask(service, ada, { assigneeId: ada.userId });
        await service.tasks.updateTask(update(task.id, { status: TaskStatus.IN_PROGRESS }), bob.as);
        // What was known a while ago is good for his name and not for a decision.
        await waitUntil(() => whyNotAssigned(bob.userId), 'unavailable');
        expect(await get(task.id, bob)).toMatchObject({ nameResolution: NameResolution.COMPLETE, task: names });
      } finally {
        await service.cluster.start('users');
      }
    });

    it('are SERVING and answer after a restart with auth and users down, once they are back with names', async () => {
      await Promise.all([service.cluster.kill('users', 'SIGKILL'), service.cluster.kill('auth', 'SIGKILL')]);
      await service.cluster.restart('tasks');
      // Without a reason nobody has answered: the connection to the former process is gone.
      const answer = await waitUntil(
        () => refused(service.tasks.listTasks({}, ada.as)),
        ({ reason }) => reason !== undefined,
      );
      expect(answer).toEqual({ kind: 'unavailable', reason: 'KEYS_UNAVAILABLE' });
      await Promise.all([service.cluster.start('users'), service.cluster.start('auth')]);
      await waitUntil(() => service.tasks.listTasks({}, ada.as).catch(() => undefined), {
        nameResolution: NameResolution.COMPLETE,
      });
    });
  });
});
