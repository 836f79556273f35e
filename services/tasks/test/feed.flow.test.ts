import { describe, expect, it } from '@jest/globals';
import {
  SyncTasksResponse,
  Task,
  TaskPriority,
  TaskStatus,
  type TaskEvent,
  type WatchTasksResponse,
} from '#contract/tasks/v1/tasks';
import { retry } from '#dev/stubs';
import { listAll, update } from './factories.ts';
import { applyNews, events, settle, sync, watch } from './mirror.ts';
import { usePeople, useTasksCluster, type TasksCluster } from './start-cluster.ts';
import type { TestUser } from './start-tasks.ts';

/** Watches until told to stop, and goes on from its last token whenever the stream ends. */
function follow(service: TasksCluster, user: TestUser) {
  const leaving = new AbortController();
  const news: WatchTasksResponse[] = [];
  let resumeToken = '';
  let interruptions = 0;
  const once = async (): Promise<void> => {
    for await (const message of service.tasks.watchTasks({ resumeToken }, { ...user.as, signal: leaving.signal })) {
      news.push(message);
      resumeToken = message.resumeToken;
    }
  };
  const run = async (): Promise<void> => {
    while (!leaving.signal.aborted) {
      await once().catch(() => undefined);
      interruptions += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const ended = run();
  return { news, interruptions: () => interruptions, stop: async () => (leaving.abort(), await ended) };
}

/** The same numbers in every run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((state / 0x8000_0000) * below);
  };
}

describe('people whose tasks change while the service is killed', () => {
  const service = useTasksCluster();
  const people = usePeople(service, 'Ada', 'Ben', 'Cleo', 'Dan');

  it('learn as assignees what was done and by whom, and of which call only when it was their own', async () => {
    const [owner, assignee] = [await service.newUser('Olga'), await service.newUser('Asta')];
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const as = (person: TestUser, requestId: string) => ({
      ...person.as,
      requestId,
      metadata: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    });
    const watching = await watch(service, assignee);
    const { task } = await service.tasks.createTask(
      { task: Task.fromPartial({ title: 'one', assigneeId: assignee.userId }) },
      as(owner, 'call-of-the-owner'),
    );
    const taskId = task?.id ?? '';
    await service.tasks.updateTask(update(taskId, { title: 'two' }), as(owner, 'second-call-of-the-owner'));
    await service.tasks.updateTask(
      update(taskId, { status: TaskStatus.IN_PROGRESS }),
      as(assignee, 'call-of-the-assignee'),
    );

    const calls = (told: TaskEvent[]) =>
      told.map(({ actor, requestId, traceParent }) => [actor, requestId, traceParent.slice(3, 35)]);
    const history = async (reader: TestUser) =>
      calls((await service.tasks.listTaskEvents({ taskId }, reader.as)).events);
    const byAssignee = [assignee.userId, 'call-of-the-assignee', traceId];
    const asAssignee = [[owner.userId, '', ''], [owner.userId, '', ''], byAssignee];
    expect(await history(owner)).toEqual([
      [owner.userId, 'call-of-the-owner', traceId],
      [owner.userId, 'second-call-of-the-owner', traceId],
      byAssignee,
    ]);
    expect(await history(assignee)).toEqual(asAssignee);
    await watching.until(() => events(watching).length === 3);
    expect(calls(events(watching))).toEqual(asAssignee);
    await watching.stop();
    const { tasks } = await service.tasks.syncTasks({}, assignee.as);
    expect(tasks.map(({ id }) => id)).toEqual([taskId]);
    expect(
      Buffer.from(SyncTasksResponse.encode(SyncTasksResponse.fromPartial({ tasks })).finish()).toString('latin1'),
    ).not.toMatch(/call-of-the|0af7651916cd/);
  });

  const byId = (tasks: Iterable<Task>): Task[] =>
    [...tasks].map((task) => ({ ...task, ownerName: '', assigneeName: '' })).sort((a, b) => (a.id < b.id ? -1 : 1));

  async function work(person: TestUser, seed: number): Promise<void> {
    const next = random(seed);
    const own: string[] = [];
    const anybody = (): string => ['', ...people.map(({ userId }) => userId)][next(people.length + 1)] ?? '';
    const change = async (step: number): Promise<void> => {
      const requestId = `${seed}-${step}`;
      const options = { ...person.as, timeoutMs: 10_000 };
      const taskId = own[next(own.length)];
      const kind = next(10);
      if (taskId === undefined || kind < 3) {
        const task = Task.fromPartial({ title: `task ${requestId}`, assigneeId: anybody() });
        const answer = await retry(() => service.tasks.createTask({ task, requestId }, options));
        own.push(answer.task?.id ?? '');
      } else if (kind < 5) {
        await retry(() => service.tasks.deleteTask({ taskId, requestId }, options));
        own.splice(own.indexOf(taskId), 1);
        if (kind === 4) {
          await retry(() => service.tasks.undeleteTask({ taskId, requestId }, options));
          own.push(taskId);
        }
      } else {
        const request =
          kind < 8
            ? update(taskId, { assigneeId: anybody() }, ['assignee_id'], requestId)
            : update(
                taskId,
                { priority: TaskPriority.HIGH, title: `changed ${requestId}` },
                ['priority', 'title'],
                requestId,
              );
        await retry(() => service.tasks.updateTask(request, options));
      }
    };
    for (let step = 0; step < 60; step += 1) await change(step);
  }

  it('Q8 Q9 miss nothing and get nothing twice, also of others’ lists; what they mirror is what they would list', async () => {
    const following = people.map((person) => follow(service, person));
    await settle(async () => expect(following.every(({ news }) => news.length > 0)).toBe(true));
    const copies = people.map(() => new Map<string, Task>());
    const syncTokens = await Promise.all(
      people.map((person, index) => sync(service, person, copies[index] as Map<string, Task>)),
    );

    let busy = true;
    const working = Promise.all(people.map((person, index) => work(person, index + 1))).finally(() => (busy = false));
    let kills = 0;
    while (busy && kills < 3) {
      const seen = following.reduce((count, { news }) => count + news.length, 0);
      await settle(async () =>
        expect(!busy || following.reduce((count, { news }) => count + news.length, 0) > seen + 60).toBe(true),
      );
      if (!busy) break;
      await service.cluster.kill('tasks', 'SIGKILL');
      await service.cluster.start('tasks');
      kills += 1;
    }
    await working;
    expect(kills).toBeGreaterThanOrEqual(1);
    expect(following.every((one) => one.interruptions() >= 1)).toBe(true);

    for (const [index, person] of people.entries()) {
      const rows = await service.sql<{ id: string }>(
        'select event_id::text as id from event_audience where user_id = $1 order by transaction_id, event_id',
        [person.userId],
      );
      const news = (): WatchTasksResponse[] =>
        (following[index]?.news ?? []).filter(({ event }) => event !== undefined);
      await settle(async () =>
        expect(news().map(({ event }) => String(event?.position?.eventId))).toEqual(rows.map(({ id }) => id)),
      );

      const own = news().flatMap(({ event }) => (event?.streamId === person.userId ? Number(event.sequence) : []));
      expect(own.sort((a, b) => a - b)).toEqual(Array.from({ length: own.length }, (_, number) => number + 1));

      const listed = byId(await listAll(service, person, { pageSize: 500 }));
      const mirrored = new Map<string, Task>();
      applyNews(mirrored, new Map(), news());
      expect(byId(mirrored.values())).toEqual(listed);
      const copy = copies[index] as Map<string, Task>;
      await settle(async () => {
        await sync(service, person, copy, { syncToken: syncTokens[index], pageSize: 7 });
        expect(byId(copy.values())).toEqual(listed);
      });
      const fresh = new Map<string, Task>();
      await sync(service, person, fresh, { pageSize: 5 });
      expect(byId(fresh.values())).toEqual(listed);
    }
    await Promise.all(following.map((one) => one.stop()));
  });
});
