import { beforeEach, describe, expect, it } from '@jest/globals';
import { waitUntil } from '#dev/cluster';
import type { Project } from '#contract/tasks/v1/projects';
import { TaskStatus, type Task } from '#contract/tasks/v1/tasks';
import { dueAt } from './due.ts';
import { anHourAgo, createTask, listAll, update } from './factories.ts';
import { createProject } from './start-projects.ts';
import { useTasks, useUsers, type TestTasks, type TestUser } from './start-tasks.ts';

const insertDue = `
  with task as (
    insert into tasks (id, owner_id, project_id, number, key, by_hand, title, description, status, priority, due_time, due_version, labels, version, create_time, update_time)
    select gen_random_uuid(), $1, $2, n, 'WEB-' || n, lpad(n::text, 12, '0'), 'task ' || n, '', 1, 2, now() - interval '2 days', 1, '{}', 1, now(), now()
    from generate_series(1, $3::int) n
    returning id, owner_id, project_id, due_time)
  insert into task_due (task_id, owner_id, project_id, due_time, due_version) select id, owner_id, project_id, due_time, 1 from task`;

const sweepAll = async (service: TestTasks, batchSize = 0): Promise<number> => {
  let marked = 0;
  for (let more = true; more;) {
    const batch = await service.sweep({ batchSize });
    marked += batch.markedCount;
    more = batch.more;
  }
  return marked;
};

/** How many events say of a task that it is overdue. */
const announcements = async (service: TestTasks): Promise<Record<string, number>> => {
  const rows = await service.sql<{ id: string; count: number }>(
    `select subject_id as id, count(*)::int as count from events where type = 'TASK_EVENT_TYPE_OVERDUE' group by 1`,
  );
  return Object.fromEntries(rows.map(({ id, count }) => [id, count]));
};

const setAside = (service: TestTasks) => service.sql('select from task_due where set_aside');

const closings = (service: TestTasks, { as }: TestUser) =>
  [
    {
      name: 'archived',
      close: ({ id: projectId }: Project) => service.projects.archiveProject({ projectId }, as),
      open: ({ id: projectId }: Project) => service.projects.unarchiveProject({ projectId }, as),
    },
    {
      name: 'deleted',
      close: ({ id: projectId }: Project) => service.projects.deleteProject({ projectId }, as),
      open: ({ id: projectId }: Project) => service.projects.undeleteProject({ projectId }, as),
    },
  ] as const;

describe('due tasks of a project that is closed', () => {
  const service = useTasks({ maintenanceIntervalMs: 20 });
  const [manager] = useUsers(service, 'user');
  beforeEach(() => service.sql('truncate tasks, task_due, events, event_stream_heads'));
  const dueTask = (project: Project) => createTask(service, manager, { projectId: project.id, ...dueAt(anHourAgo()) });

  for (const which of ['archived', 'deleted'] as const)
    it(`become overdue once it is open again, each once: ${which}`, async () => {
      const found = closings(service, manager).find(({ name }) => name === which);
      if (found === undefined) throw new Error(which);
      const [project, other] = [
        await createProject(service.projects, manager),
        await createProject(service.projects, manager),
      ];
      const early = await dueTask(project);
      expect(await sweepAll(service)).toBe(1);
      const late = [await dueTask(project), await dueTask(project), await dueTask(project)];
      await found.close(project);
      const elsewhere = await dueTask(other);
      expect(await sweepAll(service, 2)).toBe(1);
      expect(await announcements(service)).toEqual({ [early.id]: 1, [elsewhere.id]: 1 });
      expect(await service.sql('select from task_due where overdue_time is null')).toEqual([]);

      await found.open(project);
      await waitUntil(async () => (await setAside(service)).length === 0);
      expect(await sweepAll(service, 2)).toBe(3);
      expect(await sweepAll(service)).toBe(0);
      const once = [early, elsewhere, ...late].map(({ id }) => [id, 1]);
      expect(await announcements(service)).toEqual(Object.fromEntries(once));
    });

  it('are counted as the lists have them all the while', async () => {
    const project = await createProject(service.projects, manager);
    for (let index = 0; index < 3; index += 1) await dueTask(project);
    const check = async (): Promise<void> => {
      for (const projectId of ['', project.id]) {
        const { stats } = await service.tasks.getTaskStats({ projectId }, manager.as);
        expect(stats?.overdueCount).toBe(3n);
        expect(await listAll(service, manager, { projectId, overdue: true })).toHaveLength(3);
      }
    };
    await service.projects.archiveProject({ projectId: project.id }, manager.as);
    await check();
    await sweepAll(service, 2);
    await check();
    await service.projects.unarchiveProject({ projectId: project.id }, manager.as);
    await waitUntil(async () => (await setAside(service)).length === 0);
    await check();
    await sweepAll(service);
    await check();
  });

  it('stay set aside while it is closed, whatever else is brought back', async () => {
    const [closed, opened] = [
      await createProject(service.projects, manager),
      await createProject(service.projects, manager),
    ];
    const kept = await dueTask(closed);
    const back = await dueTask(opened);
    for (const { id: projectId } of [closed, opened]) await service.projects.archiveProject({ projectId }, manager.as);
    expect(await sweepAll(service)).toBe(0);
    await service.projects.unarchiveProject({ projectId: opened.id }, manager.as);
    await waitUntil(async () => (await sweepAll(service)) === 1);
    expect(await announcements(service)).toEqual({ [back.id]: 1 });
    expect(await service.sql('select task_id from task_due where set_aside')).toEqual([{ task_id: kept.id }]);
  });

  it('are brought back in batches, all of them', async () => {
    const project = await createProject(service.projects, manager);
    await service.sql(insertDue, [manager.userId, project.id, 2500]);
    await service.projects.archiveProject({ projectId: project.id }, manager.as);
    expect(await sweepAll(service, 1000)).toBe(0);
    expect(await setAside(service)).toHaveLength(2500);
    await service.projects.unarchiveProject({ projectId: project.id }, manager.as);
    await waitUntil(async () => (await setAside(service)).length === 0);
    expect(await sweepAll(service, 1000)).toBe(2500);
    expect(Object.values(await announcements(service)).filter((count) => count !== 1)).toEqual([]);
  });
});

describe('due tasks of a project that is closed, between two turns of the loop', () => {
  const service = useTasks();
  const [manager, other] = useUsers(service, 'user', 'user');
  beforeEach(() => service.sql('truncate tasks, task_due, events, event_stream_heads'));
  const dueTask = (project: Project, user = manager) =>
    createTask(service, user, { projectId: project.id, ...dueAt(anHourAgo()) });
  const edit = (task: Task, fields: Partial<Task>, mask: string[]) =>
    service.tasks.updateTask(update(task.id, fields, mask), manager.as);

  it('become overdue when they are opened again or get another time, before they are brought back', async () => {
    const project = await createProject(service.projects, manager);
    const [reopened, rescheduled, untouched] = [await dueTask(project), await dueTask(project), await dueTask(project)];
    await service.projects.archiveProject({ projectId: project.id }, manager.as);
    expect(await sweepAll(service)).toBe(0);
    await service.projects.unarchiveProject({ projectId: project.id }, manager.as);
    await edit(reopened, { status: TaskStatus.COMPLETED }, ['status']);
    await edit(reopened, { status: TaskStatus.PENDING }, ['status']);
    await edit(rescheduled, { ...dueAt(new Date(Date.now() - 7_200_000)) }, ['due_time']);
    await edit(untouched, { title: 'renamed' }, ['title']);
    expect(await sweepAll(service)).toBe(2);
    expect(await announcements(service)).toEqual({ [reopened.id]: 1, [rescheduled.id]: 1 });
    expect(await service.sql('select task_id from task_due where set_aside')).toEqual([{ task_id: untouched.id }]);
  });

  it('leave others their share of each batch while they are set aside, and cost nothing afterwards', async () => {
    const project = await createProject(service.projects, manager);
    await service.sql(insertDue, [manager.userId, project.id, 5000]);
    await service.projects.archiveProject({ projectId: project.id }, manager.as);
    const late = await createTask(service, other, dueAt(anHourAgo()));
    const first = await service.sweep({ batchSize: 100 });
    expect([first.markedCount, first.more]).toEqual([1, true]);
    expect(await announcements(service)).toEqual({ [late.id]: 1 });
    expect(await sweepAll(service, 1000)).toBe(0);
    expect(await service.sql('select from task_due where overdue_time is null')).toEqual([]);
  });

  it('are left to the next batch while somebody closes it', async () => {
    const project = await createProject(service.projects, manager);
    const held = await dueTask(project);
    const free = await createTask(service, manager, dueAt(anHourAgo()));
    await service.sql('begin');
    await service.sql('select from projects where id = $1 for update', [project.id]);
    await service.sql('update projects set archive_time = now() where id = $1', [project.id]);
    expect((await service.sweep()).markedCount).toBe(1);
    await service.sql('commit');
    expect((await service.sweep()).markedCount).toBe(0);
    expect(await announcements(service)).toEqual({ [free.id]: 1 });
    expect(await service.sql('select task_id from task_due where set_aside')).toEqual([{ task_id: held.id }]);
  });
});
