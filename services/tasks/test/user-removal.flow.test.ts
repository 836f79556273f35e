import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  CreateTaskRequest,
  InternalTasksServiceService,
  Task,
  TaskEventType,
  TaskPriority,
  TaskStatus,
} from '#contract/tasks/v1/tasks';
import { readServiceKey } from '#dev/cluster';
import { invalidFields, kindAndReason, refused } from '#dev/testing';
import { createServiceIdentity } from '#libs/identity';
import { openStub, type Stub } from '#dev/stubs';
import { createRandom, type Random } from '../../../libs/dev/testing/src/random.ts';
import { anHourAgo, inAnHour, listAll, taskNotFound, update } from './factories.ts';
import { applyNews, events, settle, sync, watch } from './mirror.ts';
import { useTasksCluster, type Person } from './start-cluster.ts';

const service = useTasksCluster({ env: { TASKFLOW_RATE_LIMITS: '{"*":"unlimited"}' } });
let internal: Stub<typeof InternalTasksServiceService>;
beforeAll(() => {
  internal = openStub(InternalTasksServiceService, service.cluster.address('tasks'));
});
afterAll(() => internal.close());

/** Each with a token of its own, which lives for a minute. */
async function callAs(name: 'auth' | 'scheduler') {
  const identity = createServiceIdentity({ service: name, privateKey: readServiceKey(service.cluster.dir, name) });
  return { metadata: { 'x-taskflow-service': await identity.tokenFor('tasks') } };
}

/** Repeats it as auth does; returns how many calls it took. */
async function remove({ userId }: Person, successor?: Person): Promise<number> {
  for (let calls = 1; ; calls += 1) {
    const request = { userId, successorId: successor?.userId ?? '' };
    if (!(await internal.deleteUserTasks(request, await callAs('auth'))).more) return calls;
  }
}

const create = async ({ as }: Person, fields: Partial<Task> = {}): Promise<Task> =>
  (await service.tasks.createTask({ task: Task.fromPartial({ title: 'Water the plants', ...fields }) }, as))
    .task as Task;
const createMany = async ({ as }: Person, count: number, fieldsOf: (index: number) => Partial<Task>) => {
  for (let done = 0; done < count; done += 500) {
    const requests = Array.from({ length: Math.min(500, count - done) }, (_, index) =>
      CreateTaskRequest.fromPartial({ task: { title: `task ${done + index}`, ...fieldsOf(done + index) } }),
    );
    await service.tasks.batchCreateTasks({ requests }, { ...as, timeoutMs: 60_000 });
  }
};
const due = (value: Date): Partial<Task> => ({ due: { $case: 'dueTime', value } });

interface Counts {
  total: string;
  open_urgent: string;
  completed: string;
  overdue: string;
}

/** The numbers of a person, from the rows. */
async function countRows(userId: string): Promise<object> {
  const [row] = await service.sql<Counts>(
    `select count(*)::text as total,
       count(*) filter (where status in (1, 2) and priority = 4)::text as open_urgent,
       count(*) filter (where status = 3)::text as completed,
       count(*) filter (where status in (1, 2) and due_time <= now())::text as overdue
     from tasks where (owner_id = $1 or assignee_id = $1) and delete_time is null`,
    [userId],
  );
  return { ...row };
}

async function countedFor({ as }: Person): Promise<object> {
  const { stats } = await service.tasks.getTaskStats({}, as);
  return {
    total: String(stats?.totalCount),
    open_urgent: String(stats?.openUrgentCount),
    completed: String(stats?.completedCount),
    overdue: String(stats?.overdueCount),
  };
}

/** The sequence numbers of a person's stream have no gaps above the oldest that is kept. */
async function gapsOf({ userId }: Person): Promise<number> {
  const [row] = await service.sql<{ gaps: number }>(
    `select (max(sequence) - min(sequence) + 1 - count(*))::int as gaps from events where stream_id = $1`,
    [userId],
  );
  return row?.gaps ?? 0;
}

const leftOf = async ({ userId }: Person): Promise<string[]> => {
  const checks = {
    'tasks owned': 'select 1 from tasks where owner_id = $1',
    'tasks assigned': 'select 1 from tasks where assignee_id = $1',
    'due rows': 'select 1 from task_due where owner_id = $1 or assignee_id = $1',
    audience: 'select 1 from event_audience where user_id = $1',
    moves: 'select 1 from overdue_moves where person_id = $1',
    counters: 'select 1 from event_stream_heads where stream_id = $1 and 0 <> all (counters)',
    contents: `select 1 from events where stream_id = $1 and actor <> 'service:auth' and payload <> ''
      and not exists (select from tasks where id = subject_id)`,
  };
  const left: string[] = [];
  for (const [name, text] of Object.entries(checks))
    if ((await service.sql(text, [userId])).length > 0) left.push(name);
  return left;
};

describe('a user whose tasks pass to a successor', () => {
  it('loses 1,100 tasks to the lists, numbers, streams and histories of the other', async () => {
    const [ada, bob, eve] = [await service.newUser('Ada'), await service.newUser('Bob'), await service.newUser('Eve')];
    await create(bob, { externalId: 'x-7', priority: TaskPriority.URGENT });
    await createMany(ada, 1100, (index) => ({
      externalId: `x-${index}`,
      assigneeId: [ada.userId, bob.userId, eve.userId, ''][index % 4] ?? '',
      priority: index % 3 === 0 ? TaskPriority.URGENT : TaskPriority.LOW,
      ...(index % 5 < 2 && due(index % 5 === 0 ? anHourAgo() : inAnHour())),
    }));
    await internal.sweepOverdue({ batchSize: 100 }, await callAs('scheduler'));
    const told = await create(ada, { title: 'Tell', assigneeId: eve.userId });
    await service.tasks.updateTask(update(told.id, { status: TaskStatus.IN_PROGRESS }), eve.as);
    const trashed = await create(ada);
    await service.tasks.deleteTask({ taskId: trashed.id }, ada.as);
    const foreign = await create(eve, { assigneeId: ada.userId });
    const mirrors = await Promise.all(
      [bob, eve].map(async (person) => {
        const tasks = new Map<string, Task>();
        const syncToken = await sync(service, person, tasks, { pageSize: 500 });
        return { person, tasks, syncToken };
      }),
    );
    const watching = await watch(service, eve);

    expect(await remove(ada, bob)).toBeGreaterThan(11);

    expect(await leftOf(ada)).toEqual([]);
    for (const person of [ada, bob, eve]) expect(await countedFor(person)).toEqual(await countRows(person.userId));
    expect((await service.tasks.getTaskStats({}, bob.as)).stats?.totalCount).toBe(1102n);
    expect(await listAll(service, ada, { pageSize: 1000 })).toEqual([]);
    const listed = await listAll(service, bob, { pageSize: 1000 });
    expect(listed).toHaveLength(1102);
    expect(listed.filter(({ externalId }) => externalId !== '')).toHaveLength(1);
    expect(listed.some(({ assigneeId }) => assigneeId === ada.userId)).toBe(false);
    await settle(async () => {
      for (const { person, tasks, syncToken } of mirrors) {
        const copy = new Map(tasks);
        await sync(service, person, copy, { syncToken, pageSize: 500 });
        const current = await listAll(service, person, { pageSize: 1000 });
        expect(new Set(copy.keys())).toEqual(new Set(current.map(({ id }) => id)));
        for (const { id, ownerId } of current) expect(copy.get(id)?.ownerId).toBe(ownerId);
      }
    });
    await watching.until(() => events(watching).filter(({ actor }) => actor === 'service:auth').length === 277);
    const watched = new Map<string, Task>();
    applyNews(watched, new Map(), watching.news);
    expect(watched.get(told.id)?.ownerId).toBe(bob.userId);
    await watching.stop();

    const { events: history } = await service.tasks.listTaskEvents({ taskId: told.id }, bob.as);
    expect(history.map(({ type, actor, streamId }) => ({ type, actor, streamId }))).toEqual([
      { type: TaskEventType.CREATED, actor: ada.userId, streamId: ada.userId },
      { type: TaskEventType.UPDATED, actor: eve.userId, streamId: ada.userId },
      { type: TaskEventType.UPDATED, actor: 'service:auth', streamId: bob.userId },
    ]);
    expect(history[2]?.change).toMatchObject({ before: { ownerId: ada.userId }, after: { ownerId: bob.userId } });
    expect(await gapsOf(bob)).toBe(0);
    await service.tasks.updateTask(update(told.id, { title: 'Sell' }), bob.as);
    expect(await kindAndReason(service.tasks.undeleteTask({ taskId: trashed.id }, ada.as))).toBe(
      'not_found/TASK_NOT_FOUND',
    );
    expect((await service.tasks.getTask({ taskId: foreign.id }, eve.as)).task?.assigneeId).toBe('');
  }, 300_000);
});

describe('a user whose tasks are removed', () => {
  it('is gone from the lists of others, who hear of it without the contents', async () => {
    const [ada, bob] = [await service.newUser('Ada'), await service.newUser('Bob')];
    const task = await create(ada, { title: 'A secret', assigneeId: bob.userId, ...due(anHourAgo()) });
    const purged = await create(ada, { title: 'A secret', assigneeId: bob.userId });
    const copy = new Map<string, Task>();
    const syncToken = await sync(service, bob, copy);
    await service.tasks.deleteTask({ taskId: purged.id }, ada.as);
    await service.sql('delete from tasks where id = $1', [purged.id]);
    const watching = await watch(service, bob);
    await remove(ada);
    expect(await leftOf(ada)).toEqual([]);
    await watching.until(() => events(watching).length === 2);
    for (const { type, change, actor } of events(watching)) {
      expect({ type, actor }).toEqual({ type: TaskEventType.DELETED, actor: 'service:auth' });
      expect(change?.before).toMatchObject({ ownerId: ada.userId, assigneeId: bob.userId, title: '' });
    }
    await watching.stop();
    await settle(async () => {
      await sync(service, bob, copy, { syncToken });
      expect(copy.size).toBe(0);
    });
    expect(await refused(service.tasks.getTask({ taskId: task.id }, bob.as))).toEqual(taskNotFound);
    expect(await countedFor(bob)).toEqual({ total: '0', open_urgent: '0', completed: '0', overdue: '0' });
    expect(await remove(ada)).toBe(1);
  }, 120_000);

  it('leaves the requests of others carried out: a repeat has no second effect', async () => {
    const [ada, bob] = [await service.newUser('Ada'), await service.newUser('Bob')];
    const task = await create(ada, { assigneeId: bob.userId });
    const rename = (title: string, requestId: string) =>
      service.tasks.updateTask({ ...update(task.id, { title }), requestId }, ada.as);
    await rename('first', 'rename-1');
    await rename('second', 'rename-2');
    await remove(bob);
    expect(await kindAndReason(rename('first', 'rename-1'))).toBe('failed_precondition/ANSWER_REMOVED');
    const { task: now } = await service.tasks.getTask({ taskId: task.id }, ada.as);
    expect(now).toMatchObject({ title: 'second', assigneeId: '' });
  });

  it('is gone for a former assignee who has not read of the change', async () => {
    const [ada, bob, eve] = [await service.newUser('Ada'), await service.newUser('Bob'), await service.newUser('Eve')];
    const task = await create(ada, { assigneeId: eve.userId });
    const copy = new Map<string, Task>();
    const syncToken = await sync(service, eve, copy);
    expect([...copy.keys()]).toEqual([task.id]);
    await service.tasks.updateTask(update(task.id, { assigneeId: bob.userId }), ada.as);
    // More events than one batch erases.
    await service.sql(
      `insert into events (stream_id, sequence, type, subject_id, subject_version, actor, call_id, trace_parent, payload)
       select stream_id, 1000 + n, type, subject_id, subject_version, actor, '', '', payload
       from events, generate_series(1, 1200) n where subject_id = $1 and sequence = 1`,
      [task.id],
    );
    await remove(ada);
    await settle(async () => {
      await sync(service, eve, copy, { syncToken });
      expect(copy.size).toBe(0);
    });
    expect(await leftOf(ada)).toEqual([]);
  }, 120_000);

  it('is named, and a successor is somebody else', async () => {
    const { userId } = await service.newUser('Ada');
    const call = async (request: object) => internal.deleteUserTasks(request, await callAs('auth'));
    expect(await invalidFields(call({ userId: 'me', successorId: 'you' }))).toEqual(['user_id', 'successor_id']);
    expect(await invalidFields(call({ userId, successorId: userId }))).toEqual(['successor_id']);
  });
});

describe('random changes and a removal', () => {
  /** One change of a random task, which may be refused. */
  async function change(random: Random, people: readonly Person[], ids: string[]): Promise<void> {
    const actor = random.pick(people);
    const assigneeId = random.chance(0.5) ? random.pick(people).userId : '';
    const priority = random.pick([TaskPriority.LOW, TaskPriority.URGENT]);
    const times = random.chance(0.5) ? due(random.chance(0.5) ? anHourAgo() : inAnHour()) : {};
    if (ids.length === 0 || random.chance(0.35)) {
      ids.push((await create(actor, { assigneeId, priority, ...times })).id);
      return;
    }
    const taskId = random.pick(ids);
    const status = random.pick([TaskStatus.PENDING, TaskStatus.IN_PROGRESS, TaskStatus.COMPLETED]);
    const calls = [
      () => service.tasks.updateTask(update(taskId, { assigneeId, priority }), actor.as),
      () => service.tasks.updateTask(update(taskId, { status }), actor.as),
      () => service.tasks.deleteTask({ taskId }, actor.as),
      () => service.tasks.undeleteTask({ taskId }, actor.as),
    ];
    await random
      .pick(calls)()
      .catch(() => undefined);
    if (random.chance(0.1)) await internal.sweepOverdue({ batchSize: 10 }, await callAs('scheduler'));
  }

  it.each(['one', 'two', 'three', 'four'])(
    'leave numbers that are those of the rows: %s',
    async (seed) => {
      const random = createRandom(seed);
      const people = [
        await service.newUser('Ada'),
        await service.newUser('Bob'),
        await service.newUser('Eve'),
      ] as const;
      const [ada, bob] = people;
      const ids: string[] = [];
      for (let step = 0; step < 60; step += 1) await change(random, people, ids);
      const isPassed = random.chance(0.5);
      // Others go on meanwhile.
      const others = people.slice(1);
      const meanwhile = (async () => {
        for (let step = 0; step < 20; step += 1) await change(random, others, ids);
      })();
      await remove(ada, isPassed ? bob : undefined);
      await meanwhile;
      // What was assigned while it ran is found the second time.
      await remove(ada, isPassed ? bob : undefined);
      expect(await leftOf(ada)).toEqual([]);
      for (const person of people) expect(await countedFor(person)).toEqual(await countRows(person.userId));
      for (const person of others) expect(await gapsOf(person)).toBe(0);
    },
    180_000,
  );
});
