import { beforeAll, describe, expect, it } from '@jest/globals';
import type { ListTasksRequest } from '#contract/tasks/v1/tasks';
import { waitUntil } from '#dev/cluster';
import { priorities, statuses } from '../src/domain/task-enums.ts';
import { listAll } from './factories.ts';
import {
  expectedIds,
  labelNames,
  oneOf,
  randomFrom,
  randomTask,
  someMoment,
  store,
  words,
  type Random,
  type StoredTask,
} from './list-oracle.ts';
import { useTasks, useUsers, type TestUser } from './start-tasks.ts';

const seed = Number(process.env.TASKFLOW_TEST_SEED ?? Date.now() % 1_000_000);
const random = randomFrom(seed);
const sortKeys = ['create_time', 'update_time', 'due_time', 'priority', 'title'];

type Query = Partial<ListTasksRequest>;

const some = <T>(values: readonly T[]): T[] => values.filter(() => random() < 0.5);

/** One way to fill each filter. */
const filters: Record<string, (people: string[]) => Query> = {
  statuses: () => ({ statuses: some(statuses) }),
  priorities: () => ({ priorities: some(priorities) }),
  due: () => ({ dueStartTime: someMoment(random), ...(random() < 0.5 && { dueEndTime: someMoment(random) }) }),
  dueEndTime: () => ({ dueEndTime: someMoment(random) }),
  created: () => ({
    createStartTime: someMoment(random),
    ...(random() < 0.5 && { createEndTime: someMoment(random) }),
  }),
  updated: () => ({
    updateEndTime: someMoment(random),
    ...(random() < 0.5 && { updateStartTime: someMoment(random) }),
  }),
  assignee: (people) => ({ assigneeId: oneOf(random, people) }),
  labels: () => ({ labels: some(labelNames).slice(0, 2) }),
  overdue: () => ({ overdue: random() < 0.5 }),
  hasDue: () => ({ hasDue: random() < 0.5 }),
  text: () => ({ text: searchFor(random) }),
  showDeleted: () => ({ showDeleted: true }),
};

function searchFor(next: Random): string {
  const part = (word: string): string => [...word].slice(0, 1 + Math.floor(next() * 12)).join('');
  const asked = Array.from({ length: 1 + Math.floor(next() * 2) }, () => part(oneOf(next, words))).join(' ');
  return next() < 0.5 ? asked : asked.toUpperCase();
}

function someOrder(): string {
  const chosen = sortKeys.map((key) => [random(), key] as const).sort(([a], [b]) => a - b);
  return chosen
    .slice(0, Math.floor(random() * 4))
    .map(([, key]) => (random() < 0.5 ? key : `${key} desc`))
    .join(', ');
}

describe(`filters and orders of lists (TASKFLOW_TEST_SEED=${seed})`, () => {
  const service = useTasks();
  const users = useUsers(service, 'user', 'user', 'user', 'user');
  const [admin] = useUsers(service, 'admin');
  let people: string[];
  let all: StoredTask[];
  beforeAll(async () => {
    people = users.map(({ userId }) => userId);
    all = Array.from({ length: 3500 }, () => randomTask(random, people));
    await store(service, all);
    // Nothing becomes overdue between an answer and what is expected of it.
    await waitUntil(
      async () =>
        all.filter(({ dueTime }) => Math.abs(Number(dueTime) - Date.now()) < 3_600_000 && Number(dueTime) > Date.now())
          .length,
      (soon) => soon === 0,
    );
  });

  async function check(user: TestUser, query: Query): Promise<void> {
    const listed = (await listAll(service, user, query)).map(({ id }) => id);
    const asked = JSON.stringify({ ...query, user: people.indexOf(user.userId) });
    expect([asked, listed]).toEqual([asked, expectedIds(all, user.userId, query)]);
  }

  const pageSize = (): number => oneOf(random, [3, 17, 100, 500]) * (random() < 0.1 ? 1 : 5);

  it.each(Object.keys(filters))('D22 hold exactly what %s alone names', async (name) => {
    for (let round = 0; round < 6; round += 1)
      await check(oneOf(random, users), { ...filters[name]?.(people), pageSize: pageSize() });
  });

  it.each(sortKeys.flatMap((key) => [key, `${key} desc`]))('are in the order of %s over all pages', async (orderBy) => {
    await check(oneOf(random, users), { orderBy, pageSize: 37 });
    await check(oneOf(random, users), { orderBy, pageSize: 83, showDeleted: true });
  });

  it('D22 hold exactly what any filters together name, in any order', async () => {
    for (let round = 0; round < 250; round += 1) {
      const names = Object.keys(filters).filter(() => random() < 0.25);
      const query = Object.assign({}, ...names.map((name) => filters[name]?.(people))) as Query;
      await check(oneOf(random, users), { ...query, orderBy: someOrder(), pageSize: pageSize() });
    }
  });

  it('are of the tasks that another person owns, when an administrator names the owner', async () => {
    for (let round = 0; round < 10; round += 1) {
      const names = Object.keys(filters).filter(() => random() < 0.2);
      const query = Object.assign({}, ...names.map((name) => filters[name]?.(people))) as Query;
      await check(admin, { ...query, ownerId: oneOf(random, people), orderBy: someOrder(), pageSize: pageSize() });
    }
  });
});
