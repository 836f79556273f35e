import { beforeAll, describe, expect, it } from '@jest/globals';
import { ProjectRole, projectRoleToNumber, type Project } from '#contract/tasks/v1/projects';
import { TaskStatus, type ListTasksRequest } from '#contract/tasks/v1/tasks';
import { invalidFields, readPages, refused } from '#dev/testing';
import { priorities, statuses } from '../src/domain/task-enums.ts';
import { anHourAgo, createTask, inAnHour, listAll, update } from './factories.ts';
import {
  expectedIds,
  labelNames,
  oneOf,
  randomFrom,
  randomTask,
  someMoment,
  store,
  words,
  type StoredTask,
} from './list-oracle.ts';
import { createProject, projectNotFound } from './start-projects.ts';
import { useTasks, useUsers, type TestUser } from './start-tasks.ts';

const seed = Number(process.env.TASKFLOW_TEST_SEED ?? Date.now() % 1_000_000);
const random = randomFrom(seed);
const sortKeys = ['create_time', 'update_time', 'due_time', 'priority', 'title', 'position'];

type Query = Partial<ListTasksRequest>;

const some = <T>(values: readonly T[]): T[] => values.filter(() => random() < 0.5);
const filters: (() => Query)[] = [
  () => ({ statuses: some(statuses) }),
  () => ({ priorities: some(priorities) }),
  () => ({ dueStartTime: someMoment(random) }),
  () => ({ createStartTime: someMoment(random) }),
  () => ({ updateEndTime: someMoment(random) }),
  () => ({ labels: some(labelNames).slice(0, 2) }),
  () => ({ hasDue: random() < 0.5 }),
  () => ({ text: oneOf(random, words).slice(0, 4) }),
  () => ({ showDeleted: true }),
];

function someOrder(): string {
  const chosen = sortKeys.filter(() => random() < 0.4).toSorted(() => random() - 0.5);
  return chosen
    .slice(0, 3)
    .map((key) => (random() < 0.5 ? key : `${key} desc`))
    .join(', ');
}

describe(`B9 lists of a project (TASKFLOW_TEST_SEED=${seed})`, () => {
  const service = useTasks();
  const [manager, viewer, stranger, admin] = useUsers(service, 'user', 'user', 'user', 'admin');
  let projects: Project[];
  let all: StoredTask[][];

  const join = (projectId: string, { userId }: TestUser, role: ProjectRole) =>
    service.sql('insert into project_members values ($1, $2, $3, 1, now(), now())', [
      projectId,
      userId,
      projectRoleToNumber(role),
    ]);

  /** Some rows of tasks, past the service: half of them in the first project. */
  async function fill(project: Project, count: number): Promise<StoredTask[]> {
    const tasks = Array.from({ length: count }, (_, index) => ({
      ...randomTask(random, [manager.userId, viewer.userId]),
      position: `${Math.floor(random() * 50)}${index}`,
    }));
    await store(service, tasks);
    const positions = `
      update tasks set project_id = $1, number = place, key = 'WEB-' || place, by_hand = position
      from unnest($2::uuid[], $3::text[]) with ordinality as t (task_id, position, place) where id = task_id`;
    await service.sql(positions, [project.id, tasks.map(({ id }) => id), tasks.map(({ position }) => position)]);
    return tasks;
  }

  beforeAll(async () => {
    projects = [await createProject(service.projects, manager), await createProject(service.projects, manager)];
    for (const { id } of projects) await join(id, viewer, ProjectRole.VIEWER);
    all = [await fill(projects[0] as Project, 1500), await fill(projects[1] as Project, 60)];
  });

  /** The oracle takes the project for the owner. */
  async function check(user: TestUser, index: number, query: Query): Promise<void> {
    const projectId = projects[index]?.id ?? '';
    const seen = { ...query, showDeleted: query.showDeleted === true && user !== viewer };
    const expected = expectedIds(
      (all[index] ?? []).map((task) => ({ ...task, ownerId: projectId })),
      projectId,
      seen,
    );
    const listed = (await listAll(service, user, { ...query, projectId })).map(({ id }) => id);
    const asked = JSON.stringify({ ...query, index, viewer: user === viewer });
    expect([asked, listed]).toEqual([asked, expected]);
  }

  it.each(sortKeys.flatMap((key) => [key, `${key} desc`]))('are in the order of %s over all pages', async (orderBy) => {
    await check(manager, 0, { orderBy, pageSize: 217, showDeleted: true });
    await check(viewer, 1, { orderBy, pageSize: 17, showDeleted: true });
  });

  it('hold exactly what any filters together name, in any order', async () => {
    for (let round = 0; round < 60; round += 1) {
      const chosen = filters.filter(() => random() < 0.25).map((filter) => filter());
      const query = Object.assign({}, ...chosen) as Query;
      const index = Math.floor(random() * 2);
      await check(oneOf(random, [manager, viewer, admin]), index, { ...query, orderBy: someOrder(), pageSize: 250 });
    }
  });

  it('are for members and administrators, and a page token is worth nothing without the membership', async () => {
    const project = await createProject(service.projects, manager);
    const projectId = project.id;
    await join(projectId, stranger, ProjectRole.VIEWER);
    for (const title of ['a', 'b']) await createTask(service, manager, { projectId, title });
    const list = (user: TestUser, pageToken = '') =>
      service.tasks.listTasks({ projectId, orderBy: 'position', pageSize: 1, pageToken }, user.as);
    const { tasks, nextPageToken } = await list(stranger);
    expect(tasks).toMatchObject([{ title: 'a', key: 'WEB-1' }]);
    expect((await list(stranger, nextPageToken)).tasks).toMatchObject([{ title: 'b' }]);
    expect((await list(admin)).tasks).toHaveLength(1);
    await service.projects.removeMember({ projectId, userId: stranger.userId }, manager.as);
    await expect(refused(list(stranger, nextPageToken))).resolves.toEqual(projectNotFound);
    await expect(refused(service.tasks.getTaskStats({ projectId }, stranger.as))).resolves.toEqual(projectNotFound);
    await service.projects.deleteProject({ projectId }, manager.as);
    for (const user of [manager, admin]) {
      await expect(refused(list(user))).resolves.toEqual(projectNotFound);
      await expect(refused(service.tasks.getTaskStats({ projectId }, user.as))).resolves.toEqual(projectNotFound);
    }
  });

  it('name either a project or an owner, and order by position only in a project', async () => {
    const projectId = projects[0]?.id ?? '';
    const both = { projectId, ownerId: admin.userId };
    expect(await invalidFields(service.tasks.listTasks(both, admin.as))).toEqual(['owner_id']);
    expect(await invalidFields(service.tasks.getTaskStats(both, admin.as))).toEqual(['owner_id']);
    const malformed = { projectId: 'web', orderBy: 'title asc' };
    expect(await invalidFields(service.tasks.listTasks(malformed, manager.as))).toEqual(['project_id', 'order_by']);
    expect(await invalidFields(service.tasks.listTasks({ orderBy: 'position' }, manager.as))).toEqual(['order_by']);
  });

  it('have numbers that are what is there, overdue ones before and after the sweep', async () => {
    const { id: projectId } = await createProject(service.projects, manager);
    await join(projectId, viewer, ProjectRole.EDITOR);
    const due = (value: Date) => ({ $case: 'dueTime', value }) as const;
    const late = await createTask(service, manager, { projectId, due: due(anHourAgo()), assigneeId: manager.userId });
    await createTask(service, viewer, { projectId, due: due(anHourAgo()) });
    await createTask(service, viewer, { projectId, due: due(inAnHour()), status: TaskStatus.IN_PROGRESS });
    await createTask(service, manager, { due: due(anHourAgo()) });
    const stats = async () => (await service.tasks.getTaskStats({ projectId }, viewer.as)).stats;
    const expected = { totalCount: 3n, pendingCount: 2n, inProgressCount: 1n, overdueCount: 2n };
    expect(await stats()).toMatchObject(expected);
    for (let batch = 0; batch < 5; batch += 1) await service.sweep({ batchSize: 1 });
    expect(await stats()).toMatchObject(expected);
    const events = await readPages((pageToken) =>
      service.tasks.listTaskEvents({ taskId: late.id, pageToken }, viewer.as),
    );
    expect(events.flatMap((page) => page.events).at(-1)).toMatchObject({
      type: 'TASK_EVENT_TYPE_OVERDUE',
      streamId: projectId,
    });
    await service.tasks.updateTask(update(late.id, { status: TaskStatus.COMPLETED }), viewer.as);
    expect(await stats()).toMatchObject({ ...expected, pendingCount: 1n, completedCount: 1n, overdueCount: 1n });
  });
});
