import { beforeEach, describe, expect, it } from '@jest/globals';
import { NameResolution, Task, TaskStatus } from '#contract/tasks/v1/tasks';
import { refusal } from '#dev/testing';
import { createTask, listAll } from './factories.ts';
import { useTasks, type TestUser } from './start-tasks.ts';

/** Many at once, past the service: $1 owner, $2 how many, $3 title, $4 description. */
const insertTasks = `
  insert into tasks (id, owner_id, title, description, status, priority, due_version, labels, version, create_time, update_time)
  select gen_random_uuid(), $1, $3, $4, 1, 2, 0, '{}', 1, timestamptz '2026-01-01' + n * interval '1 second', timestamptz '2026-01-01'
  from generate_series(1, $2::int) n`;

describe('what lists of tasks answer', () => {
  const service = useTasks();
  let user: TestUser;
  beforeEach(async () => {
    user = await service.newUser();
  });

  const fill = (count: number, title: string, description = ''): Promise<unknown> =>
    service.sql(insertTasks, [user.userId, count, title, description]);
  const titles = async (text: string): Promise<string[]> =>
    (await listAll(service, user, { text, orderBy: 'title' })).map(({ title }) => title);

  it.each(['priority', 'title desc', 'due_time', 'due_time desc', 'update_time, priority desc'])(
    'D21 lose and repeat nothing among 10 000 tasks that are equal by %s, while others come and go',
    async (orderBy) => {
      await fill(10_000, 'equal');
      const before = await service.sql<{ id: string }>('select id from tasks where owner_id = $1', [user.userId]);
      const doomed = new Set(before.filter((_, index) => index % 100 === 99).map(({ id }) => id));
      const seen: string[] = [];
      let pageToken = '';
      for (let pages = 1; pages === 1 || pageToken !== ''; pages += 1) {
        const page = await service.tasks.listTasks({ pageSize: 500, pageToken, orderBy }, user.as);
        seen.push(...page.tasks.map(({ id }) => id));
        pageToken = page.nextPageToken;
        if (pages === 7) {
          await service.sql('update tasks set delete_time = now() where id = any ($1)', [[...doomed]]);
          await service.sql(insertTasks, [user.userId, 50, 'equal', '']);
        }
      }
      const listed = new Set(seen);
      expect(listed.size).toBe(seen.length);
      const missing = before.filter(({ id }) => !doomed.has(id) && !listed.has(id));
      expect(missing).toEqual([]);
    },
  );

  it('D22 take every character of a text for itself', async () => {
    const all = [
      '100% sure',
      '1000 years',
      'a*b',
      'axb',
      'back\\slash',
      "it's",
      'under_score',
      'underXscore',
      'e-mail Ärger',
    ];
    for (const title of all) await createTask(service, user, { title });
    const found: [string, string[]][] = [
      ['100%', ['100% sure']],
      ['100', ['100% sure', '1000 years']],
      ['%', []],
      ['under_', ['under_score']],
      ['*', []],
      ['a*', ['a*b']],
      ['back\\', ['back\\slash']],
      ['slash', ['back\\slash']],
      ["it'", ["it's"]],
      ['score', ['under_score']],
      ['ÄRGER mail', ['e-mail Ärger']],
      ['sure | years', []],
      ["' | '", []],
      ['1000:*', []],
    ];
    for (const [text, expected] of found) expect([text, await titles(text)]).toEqual([text, expected]);
  });

  it('search in titles and descriptions, of deleted tasks only when asked, and never of others', async () => {
    const other = await service.newUser();
    await createTask(service, other, { title: 'secret' });
    const task = await createTask(service, user, { title: 'open', description: 'a\nsecret' });
    const deleted = await createTask(service, user, { title: 'secretary' });
    await service.tasks.deleteTask({ taskId: deleted.id }, user.as);
    expect(await titles('secr')).toEqual(['open']);
    expect((await listAll(service, user, { text: 'secr', showDeleted: true })).map(({ id }) => id)).toEqual([
      deleted.id,
      task.id,
    ]);
    await service.tasks.updateTask(
      { task: Task.fromPartial({ id: task.id, description: 'changed' }), updateMask: ['description'] },
      user.as,
    );
    expect(await titles('secr')).toEqual([]);
  });

  it('find all matches of a text, however many', async () => {
    await fill(1200, 'common');
    const found = await listAll(service, user, { text: 'common', orderBy: 'create_time', pageSize: 300 });
    expect([found.length, found[0]?.createTime]).toEqual([1200, new Date(Date.UTC(2026, 0, 1, 0, 0, 1))]);
  });

  it('hold the fields of the mask and the id, and ask nobody for names that are not wanted', async () => {
    const task = await createTask(service, user, { description: 'long', labels: ['home'] });
    const callId = 'masked';
    const masked = await service.tasks.listTasks({ readMask: ['title', 'labels'] }, { ...user.as, requestId: callId });
    expect(masked.tasks).toEqual([Task.fromPartial({ id: task.id, title: task.title, labels: ['home'] })]);
    expect(masked.nameResolution).toBe(NameResolution.UNSPECIFIED);
    // users is down: whoever asks for names is told so.
    expect((await service.tasks.listTasks({ readMask: ['assignee_name', 'owner_name'] }, user.as)).nameResolution).toBe(
      NameResolution.UNAVAILABLE,
    );
    expect((await service.tasks.listTasks({}, user.as)).tasks).toEqual([task]);
  });

  it('are empty when filters exclude each other', async () => {
    await createTask(service, user, { status: TaskStatus.COMPLETED });
    for (const orderBy of ['', 'due_time desc', 'title', 'priority'])
      expect(await listAll(service, user, { statuses: [TaskStatus.COMPLETED], overdue: true, orderBy })).toEqual([]);
  });

  it('say when a task was deleted and when it will be purged', async () => {
    const task = await createTask(service, user);
    await service.tasks.deleteTask({ taskId: task.id }, user.as);
    expect(await listAll(service, user)).toEqual([]);
    expect(await listAll(service, user, { showDeleted: true })).toMatchObject([
      { id: task.id, deleteTime: expect.any(Date), purgeTime: expect.any(Date) },
    ]);
  });

  it('never make a message that is too large for clients, and lose nothing by it', async () => {
    await fill(300, 'large', 'ü'.repeat(10_000));
    const first = await service.tasks.listTasks({ pageSize: 500, readMask: ['description'] }, user.as);
    expect(first.tasks.length).toBeLessThan(300);
    expect(new Set((await listAll(service, user, { pageSize: 500 })).map(({ id }) => id)).size).toBe(300);
  });

  it('refuse every broken field at once', async () => {
    const { details } = await refusal(
      service.tasks.listTasks(
        { orderBy: 'id', readMask: ['secrets'], pageSize: -1, text: 'a'.repeat(201), ownerId: '1' },
        user.as,
      ),
    );
    expect(details.violations?.map(({ field }) => field).sort()).toEqual([
      'order_by',
      'owner_id',
      'page_size',
      'read_mask',
      'text',
    ]);
  });
});
