import { createRequire } from 'node:module';
import { describe, expect, it, jest } from '@jest/globals';
import type pg from 'pg';
import { ErrorInfo } from '#google/rpc/error_details';
import {
  BatchCreateTasksResponse,
  DeleteTaskRequest,
  Task,
  TaskPriority,
  TaskStatus,
  type TaskResult,
  type UpdateTaskRequest,
} from '#contract/tasks/v1/tasks';
import { uuidv7 } from '#libs/db';
import { currentContext } from '#libs/runtime';
import { invalidFields, refusal } from '#dev/testing';
import {
  anHourAgo,
  countDifferent,
  createTask,
  creations,
  deletions,
  errorOf,
  externalIdTaken,
  inAnHour,
  listAll,
  taskOf,
  update,
} from './factories.ts';
import { useTasks, useUsers, type TestUser } from './start-tasks.ts';
import { dueAt, dueOn } from './due.ts';

const range = (count: number): number[] => [...Array(count).keys()];
const draft = (fields: Partial<Task> = {}): Task => Task.fromPartial({ title: 'x', ...fields });
const tasksOf = (results: TaskResult[]): Task[] =>
  results.map((result) => taskOf(result) ?? draft({ title: 'missing' }));

/** The reason of each member's error; '' = it went well. */
function reasonsOf(results: TaskResult[]): string[] {
  return results.map((result) => {
    const info = errorOf(result)?.details.find(({ typeUrl }) => typeUrl.endsWith('google.rpc.ErrorInfo'));
    return info === undefined ? '' : ErrorInfo.decode(info.value).reason;
  });
}

/** The ORM's own copy of the driver, which runs every statement of the service. */
function driver(): typeof pg {
  const require = createRequire(import.meta.url);
  return createRequire(require.resolve('@mikro-orm/postgresql'))('pg') as typeof pg;
}

describe('C8 batches', () => {
  const service = useTasks();
  const [owner, stranger] = useUsers(service, 'user', 'user');

  const batchCreate = (tasks: Task[], options: { allowPartial?: boolean; requestId?: string } = {}, user = owner) =>
    service.tasks.batchCreateTasks({ requests: creations(tasks), ...options }, user.as);
  const batchUpdate = (requests: UpdateTaskRequest[], options: { allowPartial?: boolean; requestId?: string } = {}) =>
    service.tasks.batchUpdateTasks({ requests, ...options }, owner.as);
  const batchDelete = (taskIds: string[], options: { allowPartial?: boolean; requestId?: string } = {}, user = owner) =>
    service.tasks.batchDeleteTasks({ requests: deletions(taskIds), ...options }, user.as);
  const batchGet = (taskIds: string[], allowPartial = false, user = owner) =>
    service.tasks.batchGetTasks({ taskIds, allowPartial }, user.as);
  const eventsOf = (tasks: Task[]) =>
    service.sql('select 1 from events where subject_id = any($1)', [tasks.map(({ id }) => id)]);
  const failed = async (call: Promise<unknown>) => {
    const { kind, reason, details } = await refusal(call);
    return { kind, reason, fields: details.violations?.map(({ field }) => field) };
  };
  const expectStatsEqualList = async (user: TestUser): Promise<void> => {
    const tasks = await listAll(service, user, { pageSize: 500 });
    const { stats } = await service.tasks.getTaskStats({}, user.as);
    const count = (status: TaskStatus): bigint => BigInt(tasks.filter((task) => task.status === status).length);
    expect(stats).toMatchObject({
      totalCount: BigInt(tasks.length),
      pendingCount: count(TaskStatus.PENDING),
      completedCount: count(TaskStatus.COMPLETED),
      overdueCount: BigInt(tasks.filter(({ overdue }) => overdue).length),
    });
  };

  it('D24 create, read, change and delete 500 tasks, each inside its deadline, and count them right', async () => {
    const user = await service.newUser();
    const drafts = range(500).map((index) =>
      draft({
        title: `task ${index}`,
        externalId: `row-${index}`,
        ...dueAt(index % 2 === 0 ? anHourAgo() : undefined),
        labels: ['a'],
      }),
    );
    const created = await service.tasks.batchCreateTasks({ requests: creations(drafts) }, user.as);
    const tasks = tasksOf(created.results);
    expect(tasks.map(({ title }) => title)).toEqual(drafts.map(({ title }) => title));
    await expectStatsEqualList(user);

    const ids = tasks.map(({ id }) => id);
    const read = await service.tasks.batchGetTasks({ taskIds: ids.toReversed() }, user.as);
    expect(tasksOf(read.results)).toEqual(tasks.toReversed());

    const requests = tasks.map((task, index) =>
      update(
        task.id,
        {
          status: TaskStatus.COMPLETED,
          title: `done ${index}`,
          priority: TaskPriority.HIGH,
          ...dueAt(inAnHour()),
          etag: task.etag,
        },
        index % 2 === 0 ? ['status', 'title'] : ['priority', 'due_time'],
      ),
    );
    const changed = tasksOf((await service.tasks.batchUpdateTasks({ requests }, user.as)).results);
    expect(changed.filter(({ status }) => status === TaskStatus.COMPLETED)).toHaveLength(250);
    expect(tasksOf((await service.tasks.batchGetTasks({ taskIds: ids }, user.as)).results)).toEqual(changed);
    await expectStatsEqualList(user);

    const deleted = await service.tasks.batchDeleteTasks({ requests: deletions(ids.slice(1)) }, user.as);
    expect([deleted.results.length, ...reasonsOf(deleted.results).filter((reason) => reason !== '')]).toEqual([499]);
    expect((await listAll(service, user)).map(({ id }) => id)).toEqual([ids[0]]);
    await expectStatsEqualList(user);
    expect(await eventsOf(tasks)).toHaveLength(500 + 500 + 499);
    expect(await service.sql('select 1 from task_due where owner_id = $1', [user.userId])).toEqual([]);
  });

  it('take as many statements for 500 members as for one', async () => {
    const { prototype } = driver().Client;
    const send = prototype.query as (...args: unknown[]) => unknown;
    let texts: string[] = [];
    const statements = jest.spyOn(prototype, 'query').mockImplementation(function (this: unknown, ...args: unknown[]) {
      const [query] = args;
      // Health checks, measuring and tidying go on beside it.
      if (currentContext()?.actor.kind === 'user') texts.push((query as { text?: string }).text ?? String(query));
      return send.apply(this, args);
    } as never);
    const counted = async <T>(call: () => Promise<T>): Promise<{ answer: T; count: number }> => {
      texts = [];
      const answer = await call();
      return { answer, count: texts.filter((text) => !text.includes('pg_notify')).length };
    };
    const round = async (size: number): Promise<number> => {
      const created = await counted(() =>
        batchCreate(range(size).map((index) => draft({ ...dueAt(inAnHour()), externalId: `${size}-${index}` }))),
      );
      const ids = tasksOf(created.answer.results).map(({ id }) => id);
      const read = await counted(() => batchGet(ids));
      const updated = await counted(() =>
        batchUpdate(ids.map((id) => update(id, { title: id, ...dueAt(anHourAgo()) }, ['title', 'due_time']))),
      );
      const deleted = await counted(() => batchDelete(ids));
      return created.count + read.count + updated.count + deleted.count;
    };
    const [one, many] = [await round(1), await round(500)];
    statements.mockRestore();
    expect(one).toBeGreaterThan(10);
    expect(many).toBe(one);
  });

  describe('all or nothing', () => {
    it('D4 write nothing when one task is somebody else’s, and name it by its index', async () => {
      const mine = tasksOf((await batchCreate(range(3).map(() => draft()))).results);
      const foreign = await createTask(service, stranger);
      const ids = [...mine.slice(0, 2).map(({ id }) => id), foreign.id, mine[2]?.id ?? ''];
      const gone = { kind: 'not_found', reason: 'TASK_NOT_FOUND', fields: ['task_ids[2]'] };
      expect(await failed(batchDelete(ids))).toEqual({ ...gone, fields: ['requests[2].task_id'] });
      expect(await failed(batchGet(ids))).toEqual(gone);
      expect(await failed(batchUpdate(ids.map((id) => update(id, { title: 'stolen' }))))).toEqual({
        ...gone,
        fields: ['requests[2].task.id'],
      });
      expect(tasksOf((await batchGet(mine.map(({ id }) => id))).results)).toEqual(mine);
      expect((await service.tasks.getTask({ taskId: foreign.id }, stranger.as)).task).toEqual(foreign);
    });

    it('name every field that breaks a rule, with its index', async () => {
      const tasks = [draft(), draft({ title: '', labels: ['ok', ''] }), draft(dueOn('2026-03-29', ''))];
      expect(await invalidFields(batchCreate(tasks))).toEqual([
        'requests[1].task.title',
        'requests[1].task.labels[1]',
        'requests[2].task.due_day.time_zone',
      ]);
      const requests = [update('7', { title: 'x' }), { ...update(uuidv7(), {}, ['titel']), requestId: 'inner' }];
      expect(await invalidFields(batchUpdate(requests))).toEqual([
        'requests[0].task.id',
        'requests[1].request_id',
        'requests[1].update_mask',
      ]);
      expect(await invalidFields(batchDelete([uuidv7(), 'x']))).toEqual(['requests[1].task_id']);
      expect(await invalidFields(batchGet([uuidv7(), 'x', 'y']))).toEqual(['task_ids[1]', 'task_ids[2]']);
      expect(await invalidFields(batchDelete(['x', 'x'], { requestId: '/' }))).toEqual([
        'requests[0].task_id',
        'requests[1].task_id',
        'requests[1].task_id',
        'request_id',
      ]);
    });

    it('delete nothing when one etag is stale, and name it by its index; in parts, the others', async () => {
      const tasks = tasksOf((await batchCreate(range(3).map(() => draft()))).results);
      await service.tasks.updateTask(update(tasks[1]?.id ?? '', { title: 'changed' }), owner.as);
      const requests = tasks.map(({ id, etag }) => DeleteTaskRequest.fromPartial({ taskId: id, etag }));
      expect(await failed(service.tasks.batchDeleteTasks({ requests }, owner.as))).toEqual({
        kind: 'aborted',
        reason: 'ETAG_MISMATCH',
        fields: ['requests[1].etag'],
      });
      expect(reasonsOf((await batchGet(tasks.map(({ id }) => id))).results)).toEqual(['', '', '']);
      const { results } = await service.tasks.batchDeleteTasks({ requests, allowPartial: true }, owner.as);
      expect(reasonsOf(results)).toEqual(['', 'ETAG_MISMATCH', '']);
    });

    it('give the first failing member’s own reason', async () => {
      const task = await createTask(service, owner, { status: TaskStatus.CANCELLED, externalId: 'in-use' });
      const fine = await createTask(service, owner);
      const after = (request: UpdateTaskRequest) =>
        failed(batchUpdate([update(fine.id, { title: 'changed' }), request]));
      expect(await after(update(task.id, { etag: 'stale', title: 'x' }))).toEqual({
        kind: 'aborted',
        reason: 'ETAG_MISMATCH',
        fields: ['requests[1].task.etag'],
      });
      expect(await after(update(task.id, { status: TaskStatus.COMPLETED }))).toEqual({
        kind: 'failed_precondition',
        reason: 'ILLEGAL_STATUS_TRANSITION',
        fields: ['requests[1].task.status'],
      });
      expect(await after(update(task.id, dueOn('2026-03-29', ''), ['due_day']))).toEqual({
        kind: 'invalid_argument',
        reason: 'INVALID_FIELD',
        fields: ['requests[1].task.due_day.time_zone'],
      });
      expect((await service.tasks.getTask({ taskId: fine.id }, owner.as)).task).toEqual(fine);
      expect(await failed(batchCreate([draft(), draft({ externalId: 'in-use' })]))).toEqual({
        ...externalIdTaken,
        fields: ['requests[1].task.external_id'],
      });
      expect(
        await failed(batchCreate([draft({ externalId: 'twin' }), draft(), draft({ externalId: 'twin' })])),
      ).toEqual({ ...externalIdTaken, fields: ['requests[2].task.external_id'] });
      expect(await service.sql('select 1 from tasks where external_id = $1', ['twin'])).toEqual([]);
    });
  });

  describe('in parts', () => {
    const allowPartial = true;

    it('write what is right and tell of each other member why not', async () => {
      await createTask(service, owner, { externalId: 'used' });
      const drafts = [
        draft({ title: 'good' }),
        draft({ title: '' }),
        draft({ externalId: 'used' }),
        draft({ ...dueAt(new Date('9999-12-31T23:59:59Z')) }),
      ];
      const { results } = await batchCreate(drafts, { allowPartial });
      expect(reasonsOf(results)).toEqual(['', 'INVALID_FIELD', 'EXTERNAL_ID_TAKEN', '']);
      const [good, , , last] = tasksOf(results) as [Task, Task, Task, Task];

      const foreign = await createTask(service, stranger);
      const ids = [good.id, foreign.id, 'x', last.id];
      expect(reasonsOf((await batchGet(ids, allowPartial)).results)).toEqual([
        '',
        'TASK_NOT_FOUND',
        'INVALID_FIELD',
        '',
      ]);
      const requests = [
        update(good.id, { title: 'better' }),
        update(foreign.id, { title: 'stolen' }),
        update(last.id, { title: 'x' }, ['colour']),
      ];
      const updated = (await batchUpdate(requests, { allowPartial })).results;
      expect([reasonsOf(updated), tasksOf(updated)[0]?.title]).toEqual([
        ['', 'TASK_NOT_FOUND', 'INVALID_FIELD'],
        'better',
      ]);
      const deleted = (await batchDelete(ids, { allowPartial })).results;
      expect(reasonsOf(deleted)).toEqual(['', 'TASK_NOT_FOUND', 'INVALID_FIELD', '']);
      expect((await service.tasks.getTask({ taskId: foreign.id }, stranger.as)).task).toEqual(foreign);
      expect(await eventsOf([good, last])).toHaveLength(5);
      await expectStatsEqualList(owner);
    });

    it('leave a member that fails exactly as it was', async () => {
      const task = await createTask(service, owner);
      const { results } = await batchUpdate(
        [
          update(task.id, { status: TaskStatus.COMPLETED, ...dueOn('2026-02-30', 'UTC'), title: 'half' }, [
            'status',
            'due_day',
            'title',
          ]),
        ],
        { allowPartial },
      );
      expect(reasonsOf(results)).toEqual(['INVALID_FIELD']);
      expect((await service.tasks.getTask({ taskId: task.id }, owner.as)).task).toEqual(task);
      expect(await eventsOf([task])).toHaveLength(1);
    });

    it('let parallel imports of the same external ids create each once', async () => {
      const user = await service.newUser();
      const drafts = range(50).map((index) => draft({ externalId: `import-${index}` }));
      const answers = await Promise.all(
        range(5).map((by) => batchCreate(by % 2 === 0 ? drafts : drafts.toReversed(), { allowPartial }, user)),
      );
      const created = answers.flatMap(({ results }) => results.flatMap((result) => taskOf(result)?.externalId ?? []));
      expect(created.sort()).toEqual(drafts.map(({ externalId }) => externalId).sort());
      await expectStatsEqualList(user);
    });

    it('are not begun while an assignee cannot be checked', async () => {
      const count = async () => (await service.sql('select 1 from tasks')).length;
      const before = await count();
      expect(
        await failed(batchCreate([draft(), draft({ assigneeId: stranger.userId })], { allowPartial })),
      ).toMatchObject({ kind: 'unavailable' });
      expect(await count()).toBe(before);
    });
  });

  it('give one answer and one effect to one request id, also in parallel', async () => {
    const tasks = [draft({ title: 'once' }), draft({ title: '' })];
    const send = () => batchCreate(tasks, { allowPartial: true, requestId: 'batch-once' });
    const answers = await Promise.all(range(10).map(send));
    expect(countDifferent(BatchCreateTasksResponse, answers)).toBe(1);
    expect(await service.sql('select 1 from tasks where title = $1', ['once'])).toHaveLength(1);
    expect(await failed(batchCreate([draft({ title: 'else' })], { requestId: 'batch-once' }))).toMatchObject({
      reason: 'REQUEST_ID_REUSED',
    });

    const created = tasksOf(answers[0]?.results ?? []).slice(0, 1);
    const remove = () =>
      batchDelete(
        created.map(({ id }) => id),
        { requestId: 'remove-once' },
      );
    expect(await remove()).toEqual(await remove());
    expect(await eventsOf(created)).toHaveLength(2);
  });

  it('G10 are refused when the answer would be larger than a client takes, and write nothing', async () => {
    const description = 'é'.repeat(10_000);
    const ids: string[] = [];
    for (let round = 0; round < 2; round += 1)
      ids.push(
        ...tasksOf((await batchCreate(range(100).map(() => draft({ description })))).results).map(({ id }) => id),
      );
    const tooLarge = { kind: 'resource_exhausted', reason: 'REQUEST_TOO_LARGE', fields: undefined };
    expect(await failed(batchGet(ids))).toEqual(tooLarge);
    expect(await failed(batchUpdate(ids.map((id) => update(id, { title: 'changed' }))))).toEqual(tooLarge);
    expect((await service.tasks.getTask({ taskId: ids[0] ?? '' }, owner.as)).task?.title).toBe('x');
  });

  it.each([0, 501])('are refused with %i members', async (size) => {
    const ids = range(size).map(() => uuidv7());
    expect(await invalidFields(batchGet(ids))).toEqual(['task_ids']);
    expect(await invalidFields(batchDelete(ids, { allowPartial: true }))).toEqual(['requests']);
    expect(await invalidFields(batchCreate(ids.map(() => draft())))).toEqual(['requests']);
    expect(await invalidFields(batchUpdate(ids.map((id) => update(id, { title: 'x' }))))).toEqual(['requests']);
  });

  it('are refused when they write a task twice, also in parts', async () => {
    const { id } = await createTask(service, owner);
    expect(await invalidFields(batchDelete([id, uuidv7(), id.toUpperCase()], { allowPartial: true }))).toEqual([
      'requests[2].task_id',
    ]);
    expect(
      await invalidFields(
        batchUpdate([update(id, { title: 'a' }), update(id, { title: 'b' })], {
          allowPartial: true,
        }),
      ),
    ).toEqual(['requests[1].task.id']);
    expect(tasksOf((await batchGet([id, id])).results).map((task) => task.id)).toEqual([id, id]);
  });

  it('of the same tasks in any order do not stand in each other’s way', async () => {
    const tasks = tasksOf((await batchCreate(range(100).map(() => draft()))).results);
    const rename = (by: number) =>
      batchUpdate(
        (by % 2 === 0 ? tasks : tasks.toReversed()).map(({ id }) => update(id, { title: `by ${by}` }, ['title'])),
      );
    await Promise.all(range(6).map(rename));
    const titles = new Set(tasksOf((await batchGet(tasks.map(({ id }) => id))).results).map(({ title }) => title));
    expect(titles.size).toBe(1);
  });
});
