import { describe, expect, it } from '@jest/globals';
import {
  BatchCreateTasksResponse,
  BatchDeleteTasksResponse,
  BatchUpdateTasksResponse,
  Task,
  TasksServiceService,
} from '#contract/tasks/v1/tasks';
import { startTcpProxy, waitUntil } from '#dev/cluster';
import { refusal, refused } from '#dev/testing';
import { openStub, type Stub } from '#dev/stubs';
import { createTask, creations, deletions, listAll, taskOf, update } from './factories.ts';
import { events, watch } from './mirror.ts';
import { usePeople, useTasksCluster } from './start-cluster.ts';

type Tasks = Stub<TasksServiceService>;

describe('two replicas of tasks', () => {
  const service = useTasksCluster({ replicas: { tasks: 2 } });
  const [user] = usePeople(service, 'Ada');

  const range = (count: number): number[] => [...Array(count).keys()];
  const numbers = (watched: Parameters<typeof events>[0]) => events(watched).map(({ sequence }) => Number(sequence));

  it('Q8 tell a watcher of the one within a heartbeat what was written through the other', async () => {
    const watcher = await service.newUser('Wendy');
    const watching = await watch({ tasks: service.second }, watcher);
    for (const round of range(5)) {
      const heartbeats = watching.news.length;
      const task = await createTask(service, watcher, { title: `task ${round}` });
      await watching.until(() => events(watching).some(({ taskId }) => taskId === task.id));
      expect(watching.news.slice(heartbeats).filter(({ event }) => event === undefined).length).toBeLessThanOrEqual(1);
    }
    await watching.stop();
  });

  it('Q8 let a watcher of the one that was killed go on at the other, with every event once', async () => {
    const watcher = await service.newUser('Will');
    const first = await watch({ tasks: service.second }, watcher);
    const ended = refused(first.until(() => false));
    const writing = Promise.all(range(40).map((index) => createTask(service, watcher, { title: `task ${index}` })));
    await first.until(() => events(first).length >= 5);
    await service.cluster.kill('tasks', 'SIGKILL', 1);
    try {
      expect(await ended).toMatchObject({ kind: 'unavailable' });
      await writing;
      const rest = await watch(service, watcher, first.resumeToken);
      await rest.until(() => events(first).length + events(rest).length >= 40);
      await createTask(service, watcher, { title: 'the last' });
      await rest.until(() => events(rest).some(({ change }) => change?.after?.title === 'the last'));
      // Parallel writes may be told in another order than they were numbered.
      expect([...numbers(first), ...numbers(rest)].sort((a, b) => a - b)).toEqual(range(41).map((index) => index + 1));
      await rest.stop();
    } finally {
      await service.cluster.start('tasks', 1);
    }
  });

  /**
   * Sends a request to the first replica, kills it when the effect is in the database and the answer still on its way, and
   * gives the answer of the other replica to the same request.
   */
  async function killBeforeAnswer<T>(requestId: string, send: (tasks: Tasks) => Promise<T>): Promise<T> {
    const proxy = await startTcpProxy(service.cluster.address('tasks'));
    const slow = openStub(TasksServiceService, proxy.address);
    try {
      await slow.listTasks({ pageSize: 1 }, user.as);
      proxy.mute();
      const unanswered = refusal(send(slow));
      await waitUntil(
        async () => (await service.sql('select 1 from idempotency_records where request_id = $1', [requestId])).length,
        1,
      );
      await service.cluster.kill('tasks', 'SIGKILL');
      await proxy.cut();
      expect((await unanswered).kind).toBe('unavailable');
      return await send(service.second);
    } finally {
      slow.close();
      await proxy.close();
      await service.cluster.start('tasks');
    }
  }

  const bytes = <T>(codec: { encode(message: T): { finish(): Uint8Array } }, message: T) =>
    Buffer.from(codec.encode(message).finish()).toString('hex');
  const eventsOf = async (ids: string[]) =>
    (await service.sql('select 1 from events where subject_id = any($1)', [ids])).length;

  it('C4 C8 give one effect and one answer to a batch whose replica was killed between commit and answer', async () => {
    const tasks = range(20).map((index) => Task.fromPartial({ title: `batch ${index}` }));
    const create = (to: Tasks) =>
      to.batchCreateTasks({ requests: creations(tasks), requestId: 'killed-create' }, user.as);
    const created = await killBeforeAnswer('killed-create', create);
    const ids = created.results.map((result) => taskOf(result)?.id ?? '');
    expect((await listAll(service, user, { pageSize: 500 })).map(({ id }) => id).sort()).toEqual([...ids].sort());
    expect(bytes(BatchCreateTasksResponse, await create(service.tasks))).toBe(bytes(BatchCreateTasksResponse, created));

    const requests = ids.map((id) => update(id, { title: 'changed' }));
    const change = (to: Tasks) => to.batchUpdateTasks({ requests, requestId: 'killed-update' }, user.as);
    const changed = await killBeforeAnswer('killed-update', change);
    expect(bytes(BatchUpdateTasksResponse, await change(service.tasks))).toBe(bytes(BatchUpdateTasksResponse, changed));
    expect(changed.results.every((result) => taskOf(result)?.title === 'changed')).toBe(true);

    const remove = (to: Tasks) =>
      to.batchDeleteTasks({ requests: deletions(ids), requestId: 'killed-delete' }, user.as);
    const removed = await killBeforeAnswer('killed-delete', remove);
    expect(bytes(BatchDeleteTasksResponse, await remove(service.tasks))).toBe(bytes(BatchDeleteTasksResponse, removed));
    expect(await listAll(service, user)).toEqual([]);
    expect(await eventsOf(ids)).toBe(3 * ids.length);
  });

  it('A7 end the streams of somebody who logged out, and of an account that was disabled', async () => {
    const { auth } = service;
    const leave: ((account: { userId: string; refreshToken: string }) => Promise<unknown>)[] = [
      ({ refreshToken }) => auth.logout({ refreshToken }),
      async ({ userId }) => auth.disableAccount({ accountId: userId }, (await service.admin()).as),
    ];
    for (const [index, end] of leave.entries()) {
      const { account, tokens } = await auth.register({
        email: `leaver-${index}@example.com`,
        password: 'a long passphrase',
        displayName: 'Leaver',
      });
      const as = { token: tokens?.accessToken ?? '' };
      const streams = await Promise.all(
        [service.tasks, service.second].map((tasks) => watch({ tasks }, { userId: account?.id ?? '', as })),
      );
      const ends = streams.map((stream) => refused(stream.until(() => false)));
      await end({ userId: account?.id ?? '', refreshToken: tokens?.refreshToken ?? '' });
      for (const ended of ends) expect(await ended).toEqual({ kind: 'unauthenticated', reason: 'TOKEN_INVALID' });
    }
  });
});
