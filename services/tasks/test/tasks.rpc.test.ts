import { describe, expect, it } from '@jest/globals';
import { NameResolution, Task, TaskPriority, TaskStatus } from '#contract/tasks/v1/tasks';
import { uuidv7 } from '#libs/db';
import { invalidFields, kindAndReason, refusal, refused } from '#dev/testing';
import { anHourAgo, createTask, externalIdTaken, inAnHour, staleEtag, taskNotFound, update } from './factories.ts';
import { startTasks, useTasks, useUsers } from './start-tasks.ts';
import { dueAt } from './due.ts';

describe('tasks over gRPC', () => {
  const service = useTasks();
  const [owner, stranger, admin] = useUsers(service, 'user', 'user', 'admin');

  const get = async (taskId: string, user = owner): Promise<Task | undefined> =>
    (await service.tasks.getTask({ taskId }, user.as)).task;
  const edit = async (task: Task, fields: Partial<Task>, mask: string[], user = owner): Promise<Task | undefined> =>
    (await service.tasks.updateTask(update(task.id, fields, mask), user.as)).task;

  describe('creating', () => {
    it('D5 keeps every field of a task, the due time included', async () => {
      const fields = {
        title: 'Über 🌍',
        description: '  kept as it came\n\tin every character ',
        status: TaskStatus.IN_PROGRESS,
        priority: TaskPriority.URGENT,
        ...dueAt(new Date('2026-03-29T02:30:00.123Z')),
        assigneeId: owner.userId,
        labels: ['z', 'a', 'z'],
        externalId: 'import-1',
      };
      const task = await createTask(service, owner, fields);
      expect(task).toEqual({
        ...fields,
        id: expect.any(String),
        ownerId: owner.userId,
        labels: ['a', 'z'],
        etag: expect.any(String),
        createTime: expect.any(Date),
        updateTime: task.createTime,
        effectiveDueTime: new Date('2026-03-29T02:30:00.123Z'),
        completeTime: undefined,
        deleteTime: undefined,
        purgeTime: undefined,
        projectId: '',
        number: 0n,
        key: '',
        position: '',
        overdue: true,
        ownerName: '',
        assigneeName: '',
        ownerServiceAccount: false,
        assigneeServiceAccount: false,
      });
      expect(await get(task.id)).toEqual(task);
    });

    it('refuses a title or a label of which nothing shows, and lets older ones be', async () => {
      const invisible = createTask(service, owner, { title: '\u200b\u2060', labels: ['home', '\u3164'] });
      expect(await invalidFields(invisible)).toEqual(['task.title', 'task.labels[1]']);
      const older = await createTask(service, owner);
      await service.sql('update tasks set title = $1 where id = $2', ['\u200b', older.id]);
      expect(await edit(older, { description: 'changed' }, ['description'])).toMatchObject({ title: '\u200b' });
    });

    it('gives the fields that were left out their defaults', async () => {
      const task = await createTask(service, owner);
      expect(task).toMatchObject({
        status: TaskStatus.PENDING,
        priority: TaskPriority.MEDIUM,
        due: undefined,
        effectiveDueTime: undefined,
        assigneeId: '',
        overdue: false,
      });
    });

    it('takes the owner from the token and ignores output-only fields of the body', async () => {
      const forged = {
        id: uuidv7(),
        ownerId: stranger.userId,
        etag: 'x',
        createTime: new Date(0),
        ownerName: 'Mallory',
        overdue: true,
      };
      const task = await createTask(service, owner, forged);
      expect(task).toMatchObject({ ownerId: owner.userId, ownerName: '', overdue: false });
      expect(task.id).not.toBe(forged.id);
    });

    it('sets the completion time of a task that is created completed', async () => {
      const task = await createTask(service, owner, { status: TaskStatus.COMPLETED });
      expect(task.completeTime).toEqual(task.createTime);
    });

    it('D11 needs no Redis and no other service', async () => {
      const { task, nameResolution } = await service.tasks.createTask(
        { task: Task.fromPartial({ title: 'alone' }) },
        owner.as,
      );
      expect([task?.title, nameResolution]).toEqual(['alone', NameResolution.UNAVAILABLE]);
    });

    it('refuses an external id that the owner uses, until its task is deleted', async () => {
      const first = await createTask(service, owner, { externalId: 'line-7' });
      expect(await refused(createTask(service, owner, { externalId: 'line-7' }))).toEqual(externalIdTaken);
      await createTask(service, stranger, { externalId: 'line-7' });
      await service.tasks.deleteTask({ taskId: first.id }, owner.as);
      await createTask(service, owner, { externalId: 'line-7' });
    });

    it('does not write anything when the assignee cannot be checked', async () => {
      const error = await refusal(createTask(service, owner, { assigneeId: stranger.userId, externalId: 'unchecked' }));
      expect([error.kind, ['DEPENDENCY_UNAVAILABLE', 'CIRCUIT_OPEN'].includes(error.reason ?? '')]).toEqual([
        'unavailable',
        true,
      ]);
      expect(await service.sql('select 1 from tasks where external_id = $1', ['unchecked'])).toEqual([]);
    });
  });

  describe('updating', () => {
    it('keeps labels as they are, also those that mean something to a database', async () => {
      const labels = ['"', 'NULL', '\\', 'a,b', 'null', '{}'].sort();
      const task = await createTask(service, owner, { labels });
      const other = await createTask(service, owner);
      await service.tasks.updateTask(update(other.id, { labels }), owner.as);
      for (const { id } of [task, other])
        expect((await service.tasks.getTask({ taskId: id }, owner.as)).task?.labels).toEqual(labels);
    });

    it('D25 changes exactly the fields in the mask', async () => {
      const before = await createTask(service, owner, {
        title: 'old',
        description: 'old',
        labels: ['old'],
        ...dueAt(inAnHour()),
      });
      const after = await edit(before, { title: 'new', description: 'ignored', labels: ['ignored'] }, ['title']);
      expect(after).toEqual({ ...before, title: 'new', etag: after?.etag, updateTime: after?.updateTime });
      expect(after?.etag).not.toBe(before.etag);
      expect(await get(before.id)).toEqual(after);
    });

    it('clears the fields that may be empty', async () => {
      const before = await createTask(service, owner, {
        description: 'x',
        labels: ['x'],
        ...dueAt(anHourAgo()),
        assigneeId: owner.userId,
      });
      const after = await edit(before, {}, ['description', 'labels', 'due_time', 'assignee_id']);
      expect(after).toMatchObject({ description: '', labels: [], due: undefined, assigneeId: '', overdue: false });
    });

    it('refuses an illegal move of the status and names it as a precondition', async () => {
      const task = await createTask(service, owner, { status: TaskStatus.CANCELLED });
      const error = await refusal(edit(task, { status: TaskStatus.COMPLETED }, ['status']));
      expect([error.kind, error.reason]).toEqual(['failed_precondition', 'ILLEGAL_STATUS_TRANSITION']);
      expect(error.details.preconditions).toEqual([
        {
          type: 'TASK_STATUS',
          subject: `tasks/${task.id}`,
          description: 'a task that is CANCELLED cannot become COMPLETED',
        },
      ]);
      expect(await get(task.id)).toEqual(task);
    });

    it('refuses a stale etag and writes nothing', async () => {
      const task = await createTask(service, owner);
      await edit(task, { title: 'second' }, ['title']);
      const stale = service.tasks.updateTask(update(task.id, { title: 'third', etag: task.etag }), owner.as);
      expect(await refused(stale)).toEqual(staleEtag);
      expect((await get(task.id))?.title).toBe('second');
    });

    it('D12 lets exactly one of 50 parallel updates with one etag win', async () => {
      const task = await createTask(service, owner);
      const calls = Array.from({ length: 50 }, (_, number) =>
        service.tasks.updateTask(update(task.id, { title: `title ${number}`, etag: task.etag }, ['title']), owner.as),
      );
      const results = await Promise.allSettled(calls);
      const lost = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.reason] : []));
      expect(lost).toEqual(Array(49).fill('ETAG_MISMATCH'));
      const events = await service.sql('select 1 from events where subject_id = $1', [task.id]);
      expect(events).toHaveLength(2);
    });
  });

  describe('deleting', () => {
    it('makes the task unknown to everybody, administrators included', async () => {
      const task = await createTask(service, owner);
      await service.tasks.deleteTask({ taskId: task.id, etag: task.etag }, owner.as);
      expect(await refused(get(task.id))).toEqual(taskNotFound);
      expect(await refused(get(task.id, admin))).toEqual(taskNotFound);
      expect(await refused(edit(task, { title: 'x' }, ['title']))).toEqual(taskNotFound);
      expect(await refused(service.tasks.deleteTask({ taskId: task.id }, owner.as))).toEqual(taskNotFound);
    });

    it('refuses a stale etag', async () => {
      const task = await createTask(service, owner);
      expect(await refused(service.tasks.deleteTask({ taskId: task.id, etag: 'stale' }, owner.as))).toEqual(staleEtag);
      expect(await get(task.id)).toEqual(task);
    });
  });

  describe('other people’s tasks', () => {
    it('D4 are not found by anybody but their owner and administrators, whatever the method', async () => {
      const task = await createTask(service, owner);
      const error = await refusal(get(task.id, stranger));
      expect([error.kind, error.reason, error.details.resource]).toEqual([
        'not_found',
        'TASK_NOT_FOUND',
        { type: 'taskflow.tasks.v1.Task', name: `tasks/${task.id}` },
      ]);
      expect(await refused(edit(task, { title: 'x' }, ['title'], stranger))).toEqual(taskNotFound);
      expect(await refused(service.tasks.deleteTask({ taskId: task.id }, stranger.as))).toEqual(taskNotFound);
      expect((await edit(task, { title: 'by the administrator' }, ['title'], admin))?.title).toBe(
        'by the administrator',
      );
    });

    it('are listed and counted by administrators only', async () => {
      const denied = { kind: 'permission_denied', reason: 'ADMIN_REQUIRED' };
      expect(await refused(service.tasks.listTasks({ ownerId: owner.userId }, stranger.as))).toEqual(denied);
      expect(await refused(service.tasks.getTaskStats({ ownerId: owner.userId }, stranger.as))).toEqual(denied);
      const { tasks } = await service.tasks.listTasks({ ownerId: owner.userId, pageSize: 500 }, admin.as);
      const { stats } = await service.tasks.getTaskStats({ ownerId: owner.userId }, admin.as);
      expect(BigInt(tasks.length)).toBe(stats?.totalCount);
      expect((await service.tasks.listTasks({ ownerId: owner.userId, pageSize: 500 }, owner.as)).tasks).toEqual(tasks);
    });
  });

  it('D3 answers with nothing about people but ids and names', async () => {
    const task = await createTask(service, owner);
    const { tasks } = await service.tasks.listTasks({ pageSize: 1 }, owner.as);
    const known = Object.keys(Task.fromPartial({})).sort();
    for (const answer of [task, tasks[0] ?? {}]) expect(Object.keys(answer).sort()).toEqual(known);
    expect(known.filter((field) => /owner|assignee|user|password|token|hash/i.test(field))).toEqual([
      'assigneeId',
      'assigneeName',
      'assigneeServiceAccount',
      'ownerId',
      'ownerName',
      'ownerServiceAccount',
    ]);
  });

  describe('bad requests', () => {
    const long = (length: number): string => 'x'.repeat(length);
    it.each([
      ['no title', {}, ['task.title']],
      ['a blank title', { title: '   ' }, ['task.title']],
      ['a long title', { title: long(201) }, ['task.title']],
      ['a title with a NUL', { title: 'a\0b' }, ['task.title']],
      ['a title with a line break', { title: 'a\nb' }, ['task.title']],
      ['a long description', { title: 'x', description: long(10_001) }, ['task.description']],
      ['a description with a control character', { title: 'x', description: 'a\u0007b' }, ['task.description']],
      ['an unknown status', { title: 'x', status: 9 }, ['task.status']],
      ['an unknown priority', { title: 'x', priority: -3 }, ['task.priority']],
      ['a due time before 1970', { title: 'x', ...dueAt(new Date('1969-12-31T23:59:59Z')) }, ['task.due_time']],
      ['a due time after 9999', { title: 'x', ...dueAt(new Date('+010000-01-01T00:00:00Z')) }, ['task.due_time']],
      ['an assignee that is no UUID', { title: 'x', assigneeId: 'bob' }, ['task.assignee_id']],
      [
        'too many labels',
        { title: 'x', labels: Array.from({ length: 21 }, (_, number) => `l${number}`) },
        ['task.labels'],
      ],
      ['an empty label', { title: 'x', labels: ['ok', ''] }, ['task.labels[1]']],
      ['a long external id', { title: 'x', externalId: long(129) }, ['task.external_id']],
      [
        'several faults at once',
        { title: '', labels: [long(51)], assigneeId: '1' },
        ['task.title', 'task.assignee_id', 'task.labels[0]'],
      ],
    ])('creating with %s', async (_, fields, expected) => {
      const task = { ...Task.fromPartial({}), ...fields } as Task;
      const wire = {
        ...task,
        status: numbered(TaskStatus, task.status),
        priority: numbered(TaskPriority, task.priority),
      } as Task;
      expect(await invalidFields(service.tasks.createTask({ task: wire }, owner.as))).toEqual(expected);
    });

    it('an absent task, and a request id with strange characters', async () => {
      expect(await invalidFields(service.tasks.createTask({ requestId: 'a b' }, owner.as))).toEqual([
        'task',
        'request_id',
      ]);
    });

    it('accepts the longest of everything', async () => {
      const labels = Array.from({ length: 20 }, (_, number) => `${String(number).padStart(2, '0')}${'😀'.repeat(48)}`);
      await createTask(service, owner, {
        title: '😀'.repeat(200),
        description: long(10_000),
        labels,
        externalId: long(128),
      });
    });

    it.each([
      ['an empty mask', [], ['update_mask']],
      ['an unknown field', ['titel'], ['update_mask']],
      ['an output-only field', ['title', 'owner_id'], ['update_mask', 'task.title']],
      ['a field that is set at creation only', ['external_id'], ['update_mask']],
      ['a field twice', ['description', 'description'], ['update_mask']],
      ['everything, which cannot all be cleared', ['*'], ['task.title']],
      ['everything and a field', ['*', 'title'], ['update_mask', 'task.title']],
      ['a name from JavaScript’s objects', ['constructor'], ['update_mask']],
      [
        'fields that cannot be cleared',
        ['title', 'status', 'priority'],
        ['task.title', 'task.status', 'task.priority'],
      ],
    ])('updating with %s in the mask', async (_, mask, expected) => {
      const task = await createTask(service, owner);
      expect(await invalidFields(edit(task, {}, mask))).toEqual(expected);
    });

    it('ids that are no UUIDs', async () => {
      expect(await invalidFields(get('7'))).toEqual(['task_id']);
      expect(await invalidFields(service.tasks.deleteTask({ taskId: '' }, owner.as))).toEqual(['task_id']);
      expect(await invalidFields(service.tasks.updateTask(update('x', { description: '' }), owner.as))).toEqual([
        'task.id',
      ]);
      expect(await invalidFields(service.tasks.getTaskStats({ ownerId: 'x' }, owner.as))).toEqual(['owner_id']);
    });
  });

  it('puts the values that an error is about into the metadata of its ErrorInfo', async () => {
    const task = await createTask(service, owner, { assigneeId: owner.userId });
    await service.sql('update tasks set assignee_id = $1 where id = $2', [stranger.userId, task.id]);
    const missing = uuidv7();
    const metadataOf = async (call: Promise<unknown>) => (await refusal(call)).details.metadata;
    expect(await metadataOf(get(missing))).toEqual({ taskId: missing });
    expect(await metadataOf(service.tasks.deleteTask({ taskId: task.id }, stranger.as))).toEqual({ taskId: task.id });
    // The etag is not repeated: what was sent by mistake may be a secret.
    expect(await metadataOf(edit(task, { title: 'x', etag: 'stale' }, ['title']))).toEqual({ id: task.id });
    await edit(task, { status: TaskStatus.COMPLETED }, ['status']);
    expect(await metadataOf(edit(task, { status: TaskStatus.IN_PROGRESS }, ['status']))).toEqual({
      taskId: task.id,
      fromStatus: 'COMPLETED',
      toStatus: 'IN_PROGRESS',
    });
    const ownerId = owner.userId;
    expect(await metadataOf(service.tasks.listTasks({ ownerId }, stranger.as))).toEqual({ ownerId });
    expect(await metadataOf(service.tasks.syncTasks({ syncToken: 'x' }, owner.as))).toEqual({ fields: 'sync_token' });
    const requests = [update(missing, { title: 'x' })];
    expect(await metadataOf(service.tasks.batchUpdateTasks({ requests }, owner.as))).toEqual({ taskId: missing });
  });

  it('D14 tells an outage of the database from an empty list', async () => {
    const other = await startTasks();
    try {
      const user = await other.newUser();
      await other.cutDatabase();
      expect(await kindAndReason(other.tasks.listTasks({}, user.as))).toBe('unavailable/DATABASE_UNAVAILABLE');
      expect(await refused(createTask(other, user))).toEqual({ kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' });
    } finally {
      await other.stop();
    }
  });
});

/** The generated encoders write unknown names as -1; a number that the contract does not know needs a way of its own. */
function numbered<T extends Record<string, unknown>>(names: T, value: unknown): unknown {
  return typeof value === 'number' ? names['UNRECOGNIZED'] : value;
}
