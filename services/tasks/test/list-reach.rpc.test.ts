import { beforeAll, describe, expect, it } from '@jest/globals';
import { TaskPriority, TaskStatus, type ListTasksRequest } from '#contract/tasks/v1/tasks';
import { listAll } from './factories.ts';
import { expectedIds, randomFrom, randomTask, store, type StoredTask } from './list-oracle.ts';
import { useTasks, useUsers } from './start-tasks.ts';

const seed = Number(process.env.TASKFLOW_TEST_SEED ?? Date.now() % 1_000_000);
const random = randomFrom(seed);
const hour = 3_600_000;

type Query = Partial<ListTasksRequest>;

describe(`lists of a person with many tasks of one status and priority (TASKFLOW_TEST_SEED=${seed})`, () => {
  const service = useTasks();
  const [user, other] = useUsers(service, 'user', 'user');
  let all: StoredTask[];
  beforeAll(async () => {
    const begin = Date.now() - 8000 * hour;
    all = Array.from({ length: 8000 }, (_, index) => ({
      ...randomTask(random, [user.userId]),
      assigneeId: index % 1500 === 7 ? other.userId : '',
      status: index % 100 === 0 ? TaskStatus.PENDING : TaskStatus.COMPLETED,
      priority: TaskPriority.MEDIUM,
      // The last quarter of the titles has the label, more often than a few times.
      title: `${index < 6000 ? 'a' : 'b'} ${index}`,
      labels: [...(index >= 6000 && index % 3 === 0 ? ['late'] : []), ...(index % 2000 === 11 ? ['rare'] : [])],
      createTime: new Date(begin + index * hour),
      updateTime: new Date(begin + (8000 - index) * hour),
      deleteTime: index % 50 === 0 ? new Date() : undefined,
    }));
    for (let from = 0; from < all.length; from += 2000) await store(service, all.slice(from, from + 2000));
  });

  const check = async (query: Query, as = user): Promise<void> => {
    const listed = (await listAll(service, as, { pageSize: 20, ...query })).map(({ id }) => id);
    expect([query, listed]).toEqual([query, expectedIds(all, as.userId, query)]);
  };

  const filters: Record<string, () => Query> = {
    'a frequent label': () => ({ labels: ['late'] }),
    'a rare label': () => ({ labels: ['rare'] }),
    'a label that no task has': () => ({ labels: ['never'] }),
    'an assignee': () => ({ assigneeId: other.userId }),
    'a rare label of an assignee': () => ({ labels: ['late'], assigneeId: other.userId }),
    'a short time of creation': () => ({ createStartTime: new Date(Date.now() - 300 * hour) }),
    'a long time of creation': () => ({ createEndTime: new Date(Date.now() - 3000 * hour), labels: ['late'] }),
    'an old update': () => ({ updateEndTime: new Date(Date.now() - 5000 * hour), hasDue: true }),
    'a word of old tasks': () => ({ text: 'a', pageSize: 200 }),
    'a word of new tasks': () => ({ text: 'b', pageSize: 50 }),
    'a rare word': () => ({ text: '777' }),
    'a word that no task has': () => ({ text: 'never' }),
    'a frequent word with a rare label': () => ({ text: 'a', labels: ['rare'] }),
    'a frequent word with a frequent label': () => ({ text: 'b', labels: ['late'] }),
    'what is overdue': () => ({ overdue: true }),
    'what is not overdue, deleted tasks too': () => ({ overdue: false, showDeleted: true, labels: ['late'] }),
  };

  it.each(Object.keys(filters))('hold exactly what %s names, in every order', async (name) => {
    for (const orderBy of ['', 'title', 'update_time', 'due_time desc', 'priority desc, due_time'])
      await check({ ...filters[name]?.(), orderBy });
  });

  it('of the assignee are exactly the assigned ones', async () => {
    await check({}, other);
    await check({ labels: ['late'], assigneeId: other.userId, orderBy: 'title desc' }, other);
  });

  it('stop passing over tasks after a while: the page is short, and its token goes on', async () => {
    const query = { labels: ['late'], orderBy: 'title', pageSize: 20 };
    const first = await service.tasks.listTasks(query, user.as);
    expect(first.tasks.length).toBeLessThan(20);
    expect(first.nextPageToken).not.toBe('');
    expect(expectedIds(all, user.userId, query).length).toBeGreaterThan(500);
  });
});
