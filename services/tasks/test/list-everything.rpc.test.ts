import { beforeAll, describe, expect, it } from '@jest/globals';
import { ProjectRole, type Project } from '#contract/tasks/v1/projects';
import {
  TaskScope,
  type GetTaskStatsResponse,
  type ListTasksRequest,
  type Task,
  type TaskStatus,
} from '#contract/tasks/v1/tasks';
import { invalidFields, refused } from '#dev/testing';
import { createRandom } from '../../../libs/dev/testing/src/random.ts';
import { priorities, statuses } from '../src/domain/task-enums.ts';
import { dueAt } from './due.ts';
import { anHourAgo, createTask, inAnHour, listAll, update } from './factories.ts';
import {
  expectedIds,
  isOverdue,
  labelNames,
  oneOf,
  randomFrom,
  randomTask,
  someMoment,
  store,
  words,
  type StoredTask,
} from './list-oracle.ts';
import { joinBySql, moveTask, projectWith } from './moves.ts';
import { useTasks, useUsers, type TestUser } from './start-tasks.ts';

const { VIEWER, EDITOR } = ProjectRole;
const scope: TaskScope = TaskScope.ALL;
const seed = Number(process.env.TASKFLOW_TEST_SEED ?? Date.now() % 1_000_000);
const random = randomFrom(seed);
const sortKeys = ['create_time', 'update_time', 'due_time', 'priority', 'title'];

type Query = Partial<ListTasksRequest>;

const some = <T>(values: readonly T[]): T[] => values.filter(() => random() < 0.5);

function someOrder(): string {
  const chosen = sortKeys.filter(() => random() < 0.4).toSorted(() => random() - 0.5);
  return chosen
    .slice(0, 3)
    .map((key) => (random() < 0.5 ? key : `${key} desc`))
    .join(', ');
}

describe(`B9 everything that a person may see (TASKFLOW_TEST_SEED=${seed})`, () => {
  const service = useTasks();
  const [ada, bob, eve, admin] = useUsers(service, 'user', 'user', 'user', 'admin');
  /** Ada edits the first, views the second, is no member of the third any more, and the fourth is deleted. */
  let projects: Project[];
  let all: (StoredTask & { projectId: string })[];

  /** Rows of tasks, past the service: lists need neither events nor due rows. */
  async function fill(): Promise<void> {
    const people = [ada, ada, bob, eve].map(({ userId }) => userId);
    const ids = ['', '', ...projects.map(({ id }) => id)];
    all = Array.from({ length: 2000 }, () => ({ ...randomTask(random, people), projectId: oneOf(random, ids) }));
    await store(service, all);
    const inProjects = all.filter(({ projectId }) => projectId !== '');
    await service.sql(
      `update tasks set project_id = in_project, number = place, key = 'WEB-' || place, by_hand = lpad(place::text, 12, '0')
       from unnest($1::uuid[], $2::uuid[]) with ordinality as t (task_id, in_project, place) where id = task_id`,
      [inProjects.map(({ id }) => id), inProjects.map(({ projectId }) => projectId)],
    );
  }

  beforeAll(async () => {
    projects = [];
    for (const role of [EDITOR, VIEWER, ProjectRole.UNSPECIFIED, EDITOR])
      projects.push(await projectWith(service, bob, { key: 'WEB', members: [[ada, role]] }));
    await service.projects.deleteProject({ projectId: projects[3]?.id ?? '' }, bob.as);
    await fill();
  });

  /** The rule, written a second time. */
  function isSeenByAda({ projectId, ownerId, assigneeId, deleteTime }: StoredTask & { projectId: string }): boolean {
    const isOwner = ownerId === ada.userId;
    const isOwn = isOwner || (assigneeId === ada.userId && deleteTime === undefined);
    const rules: Record<string, boolean> = {
      '': isOwn,
      [projects[0]?.id ?? '']: true,
      [projects[1]?.id ?? '']: isOwner || deleteTime === undefined,
    };
    return rules[projectId] === true;
  }

  /** The oracle takes Ada for the owner of what she sees. */
  async function check(query: Query): Promise<void> {
    const seen = all.filter(isSeenByAda).map((task) => ({ ...task, ownerId: ada.userId }));
    const listed = (await listAll(service, ada, { ...query, scope })).map(({ id }) => id);
    const asked = JSON.stringify(query);
    expect([asked, listed]).toEqual([asked, expectedIds(seen, ada.userId, query)]);
  }

  it.each(sortKeys.flatMap((key) => [key, `${key} desc`]))('is in the order of %s over all pages', async (orderBy) => {
    await check({ orderBy, pageSize: 97 });
    await check({ orderBy, pageSize: 250, showDeleted: true });
  });

  it('is exactly what any filters together name, in any order', async () => {
    const filters: (() => Query)[] = [
      () => ({ statuses: some(statuses) }),
      () => ({ priorities: some(priorities) }),
      () => ({ dueStartTime: someMoment(random) }),
      () => ({ dueEndTime: someMoment(random) }),
      () => ({ createStartTime: someMoment(random) }),
      () => ({ updateEndTime: someMoment(random) }),
      () => ({ assigneeId: oneOf(random, [ada, bob, eve]).userId }),
      () => ({ labels: some(labelNames).slice(0, 2) }),
      () => ({ overdue: random() < 0.5 }),
      () => ({ hasDue: random() < 0.5 }),
      () => ({ text: oneOf(random, words).slice(0, 4) }),
      () => ({ showDeleted: true }),
    ];
    for (let round = 0; round < 50; round += 1) {
      const chosen = filters.filter(() => random() < 0.2).map((filter) => filter());
      const query = Object.assign({}, ...chosen) as Query;
      await check({ ...query, orderBy: someOrder(), pageSize: oneOf(random, [40, 250, 500]) });
    }
  }, 120_000);

  it('of an administrator is what is theirs and in their projects, and not everything', async () => {
    const [first] = projects as [Project];
    expect(await listAll(service, admin, { scope })).toEqual([]);
    await joinBySql(service, first, admin, VIEWER);
    const listed = await listAll(service, admin, { scope, pageSize: 500 });
    expect(listed).toHaveLength(
      all.filter(({ projectId, deleteTime }) => projectId === first.id && deleteTime === undefined).length,
    );
    await service.sql('delete from project_members where user_id = $1', [admin.userId]);
  });

  it('loses and repeats nothing while tasks change, move, come and go between the pages', async () => {
    const people = await Promise.all([service.newUser(), service.newUser()]);
    const [owner, other] = people as [TestUser, TestUser];
    const own = await Promise.all(
      ['AA', 'BB', 'CC'].map((key) => projectWith(service, owner, { key, members: [[other, EDITOR]] })),
    );
    const tasks: Task[] = [];
    for (let index = 0; index < 60; index += 1)
      tasks.push(await createTask(service, index % 3 === 0 ? other : owner, { projectId: own[index % 4]?.id ?? '' }));
    const touched = new Set<string>();
    const seen: string[] = [];
    const disturb = async (): Promise<void> => {
      const [moved, gone] = [tasks[seen.length % 60] as Task, tasks[(seen.length * 7) % 60] as Task];
      for (const { id } of [moved, gone]) touched.add(id);
      const target = oneOf(random, own);
      await moveTask(service, owner, { task: moved, project: target }).catch(() => undefined);
      await service.tasks.deleteTask({ taskId: gone.id }, owner.as).catch(() => undefined);
      await createTask(service, other, { projectId: target.id });
    };
    let pageToken = '';
    do {
      const page = await service.tasks.listTasks({ scope, pageSize: 7, pageToken }, owner.as);
      seen.push(...page.tasks.map(({ id }) => id));
      pageToken = page.nextPageToken;
      await disturb();
    } while (pageToken !== '');
    expect(new Set(seen).size).toBe(seen.length);
    const untouched = tasks.filter(
      ({ id, ownerId, projectId }) => !touched.has(id) && (projectId !== '' || ownerId === owner.userId),
    );
    expect(untouched.filter(({ id }) => !seen.includes(id))).toEqual([]);
  });

  it('has page tokens of its own, and no owner or project besides', async () => {
    const { nextPageToken: pageToken } = await service.tasks.listTasks({ scope, pageSize: 1 }, ada.as);
    await expect(refused(service.tasks.listTasks({ pageSize: 1, pageToken }, ada.as))).resolves.toMatchObject({
      reason: 'PAGE_TOKEN_INVALID',
    });
    const projectId = projects[0]?.id ?? '';
    for (const whose of [{ projectId }, { ownerId: ada.userId }]) {
      expect(await invalidFields(service.tasks.listTasks({ scope, ...whose }, ada.as))).toEqual(['scope']);
      expect(await invalidFields(service.tasks.getTaskStats({ scope, ...whose }, ada.as))).toEqual(['scope']);
    }
    expect(await invalidFields(service.tasks.listTasks({ scope: 7 as never }, ada.as))).toEqual(['scope']);
    expect(await invalidFields(service.tasks.listTasks({ scope, orderBy: 'position' }, ada.as))).toEqual(['order_by']);
  });
});

describe('the numbers of everything that a person may see', () => {
  const service = useTasks();

  const rows = `
    select t.id, t.status, t.priority, t.due_time as "dueTime" from tasks t left join projects p on p.id = t.project_id
    where t.delete_time is null and p.delete_time is null and case when t.project_id is null
      then $1 in (t.owner_id, t.assignee_id)
      else exists (select from project_members m where m.project_id = t.project_id and m.user_id = $1) end`;

  async function expected({ userId }: TestUser): Promise<Partial<GetTaskStatsResponse['stats'] & object>> {
    const found = await service.sql<{ status: number; priority: number; dueTime: Date | null }>(rows, [userId]);
    const count = (is: (row: (typeof found)[number]) => boolean): bigint => BigInt(found.filter(is).length);
    const isOpen = ({ status }: { status: number }): boolean => status <= 2;
    const overdue = ({ status, dueTime }: (typeof found)[number]): boolean =>
      isOverdue({
        status: statuses[status - 1] as TaskStatus,
        dueTime: dueTime ?? undefined,
        deleteTime: undefined,
      } as StoredTask);
    return {
      totalCount: BigInt(found.length),
      pendingCount: count(({ status }) => status === 1),
      inProgressCount: count(({ status }) => status === 2),
      completedCount: count(({ status }) => status === 3),
      cancelledCount: count(({ status }) => status === 4),
      overdueCount: count(overdue),
      openLowCount: count((row) => isOpen(row) && row.priority === 1),
      openMediumCount: count((row) => isOpen(row) && row.priority === 2),
      openHighCount: count((row) => isOpen(row) && row.priority === 3),
      openUrgentCount: count((row) => isOpen(row) && row.priority === 4),
    };
  }

  it.each([1, 2])(
    'are those of the rows, each task once, whatever happens to tasks, projects and members, %i',
    async (turn) => {
      const choose = createRandom(`numbers of everything ${turn}`);
      const people = await Promise.all([service.newUser(), service.newUser(), service.newUser()]);
      const [manager] = people as [TestUser, ...TestUser[]];
      const projects: Project[] = [];
      for (const key of ['AA', 'BB', 'CC'])
        projects.push(
          await projectWith(service, manager, { key, members: people.slice(1).map((each) => [each, EDITOR]) }),
        );
      const taskIds: string[] = [];
      for (let round = 0; round < 120; round += 1) {
        const [person, project] = [choose.pick(people), choose.pick(projects)];
        const taskId = taskIds.length === 0 ? '' : choose.pick(taskIds);
        const acts: (() => Promise<unknown>)[] = [
          async () => {
            const due = dueAt(choose.pick([undefined, anHourAgo(), inAnHour()]));
            const projectId = choose.chance(0.6) ? project.id : '';
            const assigneeId = choose.chance(0.5) ? person.userId : '';
            const fields = { projectId, assigneeId, priority: choose.pick(priorities), ...due };
            taskIds.push((await createTask(service, person, fields)).id);
          },
          () => service.tasks.updateTask(update(taskId, { assigneeId: person.userId }), person.as),
          () => service.tasks.updateTask(update(taskId, { status: choose.pick(statuses) }), person.as),
          () => service.tasks.moveTask({ taskId, projectId: choose.chance(0.5) ? project.id : '' }, person.as),
          () => service.tasks.deleteTask({ taskId }, person.as),
          () => service.tasks.undeleteTask({ taskId }, person.as),
          () => service.sweep(),
          () => service.projects.leaveProject({ projectId: project.id }, person.as),
          () => joinBySql(service, project, person, EDITOR),
          () => service.projects.deleteProject({ projectId: project.id }, manager.as),
          () => service.projects.undeleteProject({ projectId: project.id }, manager.as),
        ];
        await choose
          .pick(choose.chance(0.6) ? acts.slice(0, 4) : acts)()
          .catch(() => undefined);
        for (const each of people) {
          const { stats } = await service.tasks.getTaskStats({ scope }, each.as);
          expect([round, stats]).toMatchObject([round, await expected(each)]);
        }
      }
    },
  );
});
