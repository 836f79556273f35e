import { describe, expect, it } from '@jest/globals';
import { TaskStatus, type Task, type TaskPriority } from '#contract/tasks/v1/tasks';
import { priorities, statuses } from '../src/domain/task-enums.ts';
import { invalidFields, refusal } from '#dev/testing';
import { createTask, listAll } from './factories.ts';
import { useTasks, type TestUser } from './start-tasks.ts';

/** Rows past the service, many at once: due times and events do not matter to lists. */
const insertTasks = `
  insert into tasks (id, owner_id, title, description, status, priority, due_version, labels, version, create_time, update_time)
  select gen_random_uuid(), $1, 'task ' || n, '', 1 + n % 4, 1 + (n / 4) % 4, 0, '{}', 1,
    case when $3 then $4::timestamptz else $4::timestamptz + n * interval '1 second' end, $4::timestamptz
  from generate_series(1, $2::int) n`;
const begin = '2026-01-01T00:00:00Z';

describe('lists of tasks', () => {
  const service = useTasks();

  const fill = (user: TestUser, count: number, sameTime = false): Promise<unknown> =>
    service.sql(insertTasks, [user.userId, count, sameTime, begin]);
  const ids = (tasks: Task[]): string[] => tasks.map((task) => task.id);

  it('D21 lose and repeat nothing among 10 000 tasks of one moment, while others come and go', async () => {
    const user = await service.newUser();
    await fill(user, 10_000, true);
    const expected = await service.sql<{ id: string }>('select id from tasks where owner_id = $1 order by id desc', [
      user.userId,
    ]);
    const doomed = new Set(expected.filter((_, index) => index % 100 === 99).map((row) => row.id));

    const seen: string[] = [];
    let pageToken = '';
    let pages = 0;
    do {
      const page = await service.tasks.listTasks({ pageSize: 500, pageToken }, user.as);
      seen.push(...ids(page.tasks));
      pageToken = page.nextPageToken;
      pages += 1;
      if (pages === 7) {
        await service.sql('update tasks set delete_time = now() where id = any ($1)', [[...doomed]]);
        await createTask(service, user);
      }
    } while (pageToken !== '');

    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => !doomed.has(id))).toEqual(ids(expected as Task[]).filter((id) => !doomed.has(id)));
  });

  it('D22 hold exactly the tasks that a filter names, newest first, for every filter', async () => {
    const user = await service.newUser();
    await fill(user, 400);
    const all = await listAll(service, user, { pageSize: 500 });
    expect(all.map((task) => task.createTime)).toEqual(
      all.map((task) => task.createTime).sort((a, b) => Number(b) - Number(a)),
    );

    const subsets = <T>(values: readonly T[]): T[][] => [
      [],
      ...values.map((value) => [value]),
      [values[0] as T, values[2] as T],
      [...values],
    ];
    for (const wantedStatuses of subsets<TaskStatus>(statuses)) {
      for (const wantedPriorities of subsets<TaskPriority>(priorities)) {
        const expected = all.filter(
          (task) =>
            (wantedStatuses.length === 0 || wantedStatuses.includes(task.status)) &&
            (wantedPriorities.length === 0 || wantedPriorities.includes(task.priority)),
        );
        const listed = await listAll(service, user, {
          statuses: wantedStatuses,
          priorities: wantedPriorities,
          pageSize: 37,
        });
        expect(ids(listed)).toEqual(ids(expected));
      }
    }
  });

  it('end with an empty token, also when the last page is full', async () => {
    const user = await service.newUser();
    await fill(user, 6);
    const first = await service.tasks.listTasks({ pageSize: 3 }, user.as);
    const last = await service.tasks.listTasks({ pageSize: 3, pageToken: first.nextPageToken }, user.as);
    expect([first.tasks.length, last.tasks.length, last.nextPageToken]).toEqual([3, 3, '']);
    const nothing = await service.tasks.listTasks({}, (await service.newUser()).as);
    expect([nothing.tasks, nothing.nextPageToken]).toEqual([[], '']);
  });

  it('go on behind the longest title', async () => {
    const user = await service.newUser();
    for (const first of ['😀', '😁']) await createTask(service, user, { title: first.repeat(200) });
    const listed = await listAll(service, user, { orderBy: 'title, due_time, create_time desc', pageSize: 1 });
    expect(listed.map(({ title }) => title.slice(0, 2))).toEqual(['😀', '😁']);
  });

  it('refuse a token that is longer than any, by its length', async () => {
    const user = await service.newUser();
    const pageToken = 'a'.repeat(20_000);
    expect(await invalidFields(service.tasks.listTasks({ pageToken, pageSize: -1 }, user.as))).toEqual([
      'page_size',
      'page_token',
    ]);
  });

  it('refuse a token that was tampered with, or given for another filter or caller', async () => {
    const [user, admin] = [await service.newUser(), await service.newUser('admin')];
    await fill(user, 20);
    const { nextPageToken } = await service.tasks.listTasks({ pageSize: 5, ownerId: user.userId }, user.as);
    const wrong = [
      service.tasks.listTasks({ pageToken: `${nextPageToken.slice(0, -2)}AA`, ownerId: user.userId }, user.as),
      service.tasks.listTasks({ pageToken: 'x', ownerId: user.userId }, user.as),
      service.tasks.listTasks({ pageToken: nextPageToken }, user.as),
      service.tasks.listTasks(
        { pageToken: nextPageToken, ownerId: user.userId, statuses: [TaskStatus.PENDING] },
        user.as,
      ),
      service.tasks.listTasks({ pageToken: nextPageToken, ownerId: user.userId }, admin.as),
      service.tasks.listTasks({ pageToken: nextPageToken, ownerId: user.userId, orderBy: 'create_time' }, user.as),
      service.tasks.listTasks({ pageToken: nextPageToken, ownerId: user.userId, text: 'task' }, user.as),
      service.tasks.listTasks({ pageToken: nextPageToken, ownerId: user.userId, hasDue: false }, user.as),
    ];
    for (const call of wrong) {
      const { kind, reason, details } = await refusal(call);
      expect([kind, reason, details.violations?.map(({ field }) => field)]).toEqual([
        'invalid_argument',
        'PAGE_TOKEN_INVALID',
        ['page_token'],
      ]);
    }
    await service.tasks.listTasks({ pageToken: nextPageToken, ownerId: user.userId, pageSize: 7 }, user.as);
  });
});
