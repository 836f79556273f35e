import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import {
  inBatches,
  memoryTokenStore,
  watchTasks,
  type Account,
  type Session,
  type TaskUpdate,
  type WatchTasksOptions,
} from '#client/index';
import type { TaskFlow } from '#client/taskflow';
import { queryDatabase, startTcpProxy, waitUntil } from '#dev/cluster';
import { outcomeOf, startClientCluster, type ClientCluster } from './test-client.ts';

let service: ClientCluster;
beforeAll(async () => {
  service = await startClientCluster();
});
afterAll(() => service?.stop());

interface Watching {
  updates: TaskUpdate[];
  /** Titles of all tasks that came, in lists and in events. */
  titles(): string[];
  sequences(): bigint[];
  position(): string;
  /** Whether the stream has begun. */
  isOpen(): boolean;
  interruptions: number;
  /** How the watch ended. */
  stopped: Promise<string>;
  stop(): Promise<string>;
}

function watch(taskflow: TaskFlow, options: WatchTasksOptions = {}): Watching {
  const leaving = new AbortController();
  const updates: TaskUpdate[] = [];
  const events = () => updates.flatMap((update) => (update.kind === 'event' ? [update.event] : []));
  const watching: Watching = {
    updates,
    titles: () => [
      ...updates.flatMap((update) => (update.kind === 'list' ? update.tasks.map(({ title }) => title) : [])),
      ...events().map(({ change }) => change?.after?.title ?? ''),
    ],
    sequences: () => events().map(({ sequence }) => sequence),
    position: () => updates.flatMap((update) => ('position' in update ? [update.position] : [])).at(-1) ?? '',
    isOpen: () => updates.some(({ kind }) => kind === 'heartbeat'),
    interruptions: 0,
    stopped: new Promise((resolve) => queueMicrotask(() => resolve(outcomeOf(run())))),
    stop: async () => {
      leaving.abort();
      return watching.stopped;
    },
  };
  const run = async (): Promise<void> => {
    const onInterrupt = (): void => void (watching.interruptions += 1);
    for await (const update of watchTasks(taskflow.tasks, { onInterrupt, ...options, signal: leaving.signal }))
      updates.push(update);
  };
  return watching;
}

/** As the retention of events does, for all there are. */
async function forgetEvents(): Promise<void> {
  const forget = `
    with gone as (delete from events returning transaction_id, id), audience as (delete from event_audience)
    update event_horizon set transaction_id = last.transaction_id, event_id = last.id
    from (select * from gone order by transaction_id desc, id desc limit 1) last where event_horizon.id = 1`;
  await queryDatabase(service.cluster.databaseUrl('tasks'), forget);
}

const numbers = (from: number, count: number): bigint[] =>
  Array.from({ length: count }, (_, index) => BigInt(from + index));

const create = (taskflow: TaskFlow, title: string) => taskflow.tasks.createTask({ task: { title } });

async function newPerson(): Promise<{ account: Account; taskflow: TaskFlow<Session> }> {
  const account = await service.register();
  return { account, taskflow: service.open({ account }) };
}

describe('watchTasks', () => {
  it('begins with all tasks and goes on with every change', async () => {
    const { taskflow } = await newPerson();
    const members = Array.from({ length: 620 }, (_, number) => ({ task: { title: `task ${number}` } }));
    await Array.fromAsync(inBatches(taskflow.tasks.batchCreateTasks, members, {}));
    const watching = watch(taskflow);
    await waitUntil(() => watching.isOpen());
    await create(taskflow, 'a change');
    await waitUntil(() => watching.titles().includes('a change'));
    expect(await watching.stop()).toBe('OK');
    expect(watching.titles().toSorted()).toEqual([...members.map(({ task }) => task.title), 'a change'].toSorted());
    const lists = watching.updates.filter((update) => update.kind === 'list');
    expect(lists.map(({ cause, isFirst, isLast }) => [cause, isFirst, isLast])).toEqual([
      ['start', true, false],
      ['start', false, true],
    ]);
  });

  it('misses nothing while its server is killed, drains, and its connection is cut', async () => {
    const { account, taskflow } = await newPerson();
    const proxy = await startTcpProxy(service.addresses.tasks);
    try {
      const watching = watch(service.open({ account }, { addresses: { tasks: `http://${proxy.address}` } }), {
        start: 'now',
      });
      await waitUntil(() => watching.isOpen());
      const troubles = [
        () => service.cluster.kill('tasks', 'SIGKILL').then(() => service.cluster.start('tasks')),
        () => service.cluster.restart('tasks'),
        () => proxy.restore(),
      ];
      for (const [index, trouble] of troubles.entries()) {
        await create(taskflow, `before ${index}`);
        const before = watching.interruptions;
        await trouble();
        await waitUntil(() => watching.interruptions > before);
        await waitUntil(() => outcomeOf(create(taskflow, `after ${index}`)), 'OK');
        await waitUntil(() => watching.titles().includes(`after ${index}`));
      }
      expect(watching.sequences()).toEqual(numbers(1, 6));
      expect(watching.updates.filter(({ kind }) => kind === 'gap' || kind === 'list')).toEqual([]);
      expect(await watching.stop()).toBe('OK');
    } finally {
      await proxy.close();
    }
  });

  it('notices a connection that says nothing any more', async () => {
    const { account, taskflow } = await newPerson();
    const proxy = await startTcpProxy(service.addresses.tasks);
    try {
      const options: WatchTasksOptions = { start: 'now', silenceMs: 7000 };
      const watching = watch(service.open({ account }, { addresses: { tasks: `http://${proxy.address}` } }), options);
      await waitUntil(() => watching.isOpen());
      proxy.freeze();
      await create(taskflow, 'unheard');
      await waitUntil(() => watching.interruptions > 0);
      await proxy.restore();
      await waitUntil(() => watching.sequences().length > 0);
      expect(watching.sequences()).toEqual([1n]);
      await watching.stop();
    } finally {
      await proxy.close();
    }
  });

  it('goes on when its token ends, and ends with its session', async () => {
    const { account, taskflow } = await newPerson();
    const store = memoryTokenStore();
    const own = service.open({ store });
    await own.session.login(account);
    const watching = watch(own, { start: 'now' });
    await waitUntil(() => watching.isOpen());
    const ended = decodeJwt((await store.read())?.accessToken ?? '')['sid'];
    // Another program signs in for the same store.
    await service.open({ store }).session.login(account);
    await taskflow.auth.revokeSession({ sessionId: String(ended) });
    await waitUntil(() => watching.interruptions > 0);
    await create(taskflow, 'after the end of a token');
    await waitUntil(() => watching.sequences().length > 0);
    await taskflow.auth.revokeOtherSessions({});
    expect(await watching.stopped).toBe('UNAUTHENTICATED/REFRESH_TOKEN_INVALID');
  });

  it('goes on in another process at the position of an update', async () => {
    const { taskflow } = await newPerson();
    const first = watch(taskflow, { start: 'now' });
    await waitUntil(() => first.isOpen());
    await create(taskflow, 'one');
    await waitUntil(() => first.sequences().length === 1);
    await first.stop();
    for (const title of ['two', 'three']) await create(taskflow, title);
    const second = watch(taskflow, { position: first.position() });
    await waitUntil(() => second.sequences().length === 2);
    expect(second.titles()).toEqual(['two', 'three']);
    await second.stop();
    expect(await watch(taskflow, { position: 'somewhere' }).stopped).toMatch(
      'position: is not one that watchTasks gave',
    );
  });

  it('tells a gap, then lists all tasks again', async () => {
    const { taskflow } = await newPerson();
    const first = watch(taskflow, { start: 'now' });
    await waitUntil(() => first.isOpen());
    const { task } = await create(taskflow, 'one');
    await waitUntil(() => first.sequences().length === 1);
    await first.stop();
    for (const title of ['two', 'three']) await create(taskflow, title);
    const lost = 'delete from events where stream_id = $1 and sequence = 2';
    await queryDatabase(service.cluster.databaseUrl('tasks'), lost, [task?.ownerId]);
    const second = watch(taskflow, { position: first.position(), lateMs: 0 });
    await waitUntil(() => second.updates.some((update) => update.kind === 'list' && update.isLast));
    await second.stop();
    expect(second.updates.find(({ kind }) => kind === 'gap')).toEqual({ kind: 'gap', sequences: [2n] });
    const lists = second.updates.filter((update) => update.kind === 'list');
    expect(lists.map(({ cause, isFirst }) => [cause, isFirst])).toEqual([['gap', true]]);
    expect(lists.flatMap(({ tasks }) => tasks.map(({ title }) => title)).toSorted()).toEqual(['one', 'three', 'two']);
  });

  it('finds no gap where a task has moved out of the own stream into a project', async () => {
    const { taskflow } = await newPerson();
    const { project } = await taskflow.projects.createProject({ project: { key: 'WEB', name: 'Website' } });
    const watching = watch(taskflow, { start: 'now', lateMs: 0 });
    await waitUntil(() => watching.isOpen());
    const { task } = await create(taskflow, 'one');
    await taskflow.tasks.moveTask({ taskId: task?.id ?? '', projectId: project?.id ?? '' });
    await create(taskflow, 'two');
    await waitUntil(() => watching.titles().includes('two'));
    await watching.stop();
    expect(watching.sequences()[2]).toBe(3n);
    expect(watching.updates.filter(({ kind }) => kind === 'gap' || kind === 'list')).toEqual([]);
  });

  it('lists all tasks again when the events behind its position are not kept any more', async () => {
    const { taskflow } = await newPerson();
    const first = watch(taskflow, { start: 'now' });
    await waitUntil(() => first.isOpen());
    await create(taskflow, 'one');
    await waitUntil(() => first.sequences().length === 1);
    await first.stop();
    await create(taskflow, 'two');
    await forgetEvents();
    const second = watch(taskflow, { position: first.position() });
    await waitUntil(() => second.updates.some((update) => update.kind === 'list' && update.isLast));
    await create(taskflow, 'three');
    await waitUntil(() => second.titles().includes('three'));
    await second.stop();
    const [list] = second.updates;
    expect(list).toMatchObject({ kind: 'list', cause: 'RESUME_TOKEN_COMPACTED', isFirst: true, isLast: true });
    expect(second.titles().toSorted()).toEqual(['one', 'three', 'two']);
  });

  it('ends at once when the caller may not watch', async () => {
    expect(await watch(service.open()).stopped).toBe('UNAUTHENTICATED/CREDENTIALS_MISSING');
  });
});
