import { describe, expect, it } from '@jest/globals';
import { waitUntil } from '#dev/cluster';
import { refused } from '#dev/testing';
import { ProjectRole, projectRoleToNumber, type Project } from '#contract/tasks/v1/projects';
import { Task, TaskStatus } from '#contract/tasks/v1/tasks';
import { dueAt } from './due.ts';
import { anHourAgo, createTask, creations, listAll, taskNotFound, update } from './factories.ts';
import { createProject } from './start-projects.ts';
import { useTasks, type TestUser } from './start-tasks.ts';

const { EDITOR, MANAGER } = ProjectRole;

describe('the tasks of a member who goes', () => {
  const service = useTasks({ maintenanceIntervalMs: 20 });

  /** Users is down here, so nobody can be added by a call. */
  const join = (project: Project, { userId }: TestUser, role: ProjectRole, ago: string) =>
    service.sql(`insert into project_members values ($1, $2, $3, 1, now() - $4::interval, now() - $4::interval)`, [
      project.id,
      userId,
      projectRoleToNumber(role),
      ago,
    ]);
  const people = () => Promise.all([service.newUser(), service.newUser(), service.newUser()]);
  /** With Ada, who made it, Bob, a manager of before, and Eve. */
  async function newProject(ada: TestUser, bob: TestUser, eve: TestUser): Promise<Project> {
    const project = await createProject(service.projects, ada);
    await join(project, bob, MANAGER, '2 hours');
    await join(project, eve, EDITOR, '3 hours');
    return project;
  }
  const inProject = (user: TestUser, { id: projectId }: Project, fields: Partial<Task> = {}) =>
    createTask(service, user, { projectId, ...fields });
  const read = async ({ id: taskId }: Task, { as }: TestUser) => (await service.tasks.getTask({ taskId }, as)).task;
  const count = async ({ as }: TestUser, projectId = '') => {
    const { stats } = await service.tasks.getTaskStats({ projectId }, as);
    return [stats?.totalCount, stats?.overdueCount];
  };
  const untilHandedOver = () =>
    waitUntil(async () => (await service.sql('select from project_departures')).length === 0);

  it('pass to the manager who removed them, and nobody is assigned', async () => {
    const [ada, bob, eve] = await people();
    const project = await newProject(ada, bob, eve);
    const own = await inProject(eve, project, { externalId: 'kept apart', ...dueAt(anHourAgo()) });
    const done = await inProject(eve, project);
    await service.tasks.updateTask(update(done.id, { status: TaskStatus.COMPLETED }), eve.as);
    const gone = await inProject(eve, project);
    await service.tasks.deleteTask({ taskId: gone.id }, eve.as);
    const assigned = await inProject(ada, project);
    await service.tasks.updateTask(update(assigned.id, { assigneeId: eve.userId }), eve.as);
    const alone = await createTask(service, eve);

    await service.projects.removeMember({ projectId: project.id, userId: eve.userId }, ada.as);
    await untilHandedOver();
    for (const task of [own, done])
      expect(await read(task, bob)).toMatchObject({ ownerId: ada.userId, assigneeId: '' });
    expect(await read(assigned, bob)).toMatchObject({ ownerId: ada.userId, assigneeId: '' });
    const { task: back } = await service.tasks.undeleteTask({ taskId: gone.id }, bob.as);
    expect(back).toMatchObject({ ownerId: ada.userId });
    expect(await count(ada)).toEqual([4n, 1n]);
    expect(await count(ada, project.id)).toEqual([4n, 1n]);
    expect(await count(eve)).toEqual([1n, 0n]);
    expect((await listAll(service, eve)).map(({ id }) => id)).toEqual([alone.id]);
    const told = await service.sql<{ id: string }>(
      `select subject_id as id from events where actor = 'service:tasks' order by sequence`,
    );
    expect(told.map(({ id }) => id).toSorted()).toEqual([own.id, done.id, assigned.id].toSorted());
  });

  it('pass to the manager who joined first when they leave or an administrator removes them', async () => {
    const admin = await service.newUser('admin');
    const leaving = [
      ({ id: projectId }: Project, eve: TestUser) => service.projects.leaveProject({ projectId }, eve.as),
      ({ id: projectId }: Project, { userId }: TestUser) =>
        service.projects.removeMember({ projectId, userId }, admin.as),
    ];
    for (const leave of leaving) {
      const [ada, bob, eve] = await people();
      const project = await newProject(ada, bob, eve);
      const task = await inProject(eve, project);
      await leave(project, eve);
      await untilHandedOver();
      expect(await read(task, ada)).toMatchObject({ ownerId: bob.userId });
    }
  });

  it('are neither listed nor counted for them while they wait, but for the project', async () => {
    const [ada, bob, eve] = await people();
    const project = await newProject(ada, bob, eve);
    const own = await inProject(eve, project, dueAt(anHourAgo()));
    const assigned = await inProject(ada, project, dueAt(anHourAgo()));
    await service.tasks.updateTask(update(assigned.id, { assigneeId: eve.userId }), eve.as);
    await service.sweep();
    expect([await count(eve), await count(ada)]).toEqual([
      [2n, 2n],
      [1n, 1n],
    ]);
    await service.sql('begin');
    await service.sql('select from tasks where project_id = $1 for update', [project.id]);
    await service.projects.removeMember({ projectId: project.id, userId: eve.userId }, bob.as);
    expect([await count(eve), await count(ada), await count(ada, project.id)]).toEqual([
      [0n, 0n],
      [1n, 1n],
      [2n, 2n],
    ]);
    expect(await listAll(service, eve)).toEqual([]);
    expect(await refused(service.tasks.getTask({ taskId: own.id }, eve.as))).toMatchObject(taskNotFound);
    await service.sql('commit');
    await untilHandedOver();
    expect([await count(eve), await count(bob), await count(ada, project.id)]).toEqual([
      [0n, 0n],
      [1n, 1n],
      [2n, 2n],
    ]);
  });

  it('are handed over in batches, each once', async () => {
    const [ada, bob, eve] = await people();
    const project = await newProject(ada, bob, eve);
    const task = Task.fromPartial({ title: 'one of many', projectId: project.id });
    for (let index = 0; index < 5; index += 1)
      await service.tasks.batchCreateTasks({ requests: creations(Array.from({ length: 100 }, () => task)) }, eve.as);
    await service.projects.removeMember({ projectId: project.id, userId: eve.userId }, ada.as);
    await untilHandedOver();
    expect(await count(ada)).toEqual([500n, 0n]);
    expect(
      await service.sql(
        `select max(version)::int as version, count(distinct owner_id)::int as owners from tasks where project_id = $1`,
        [project.id],
      ),
    ).toEqual([{ version: 2, owners: 1 }]);
  });

  it('of a deleted project are not counted for anybody until it is back', async () => {
    const [ada, bob, eve] = await people();
    const project = await newProject(ada, bob, eve);
    await inProject(eve, project, dueAt(anHourAgo()));
    await createTask(service, eve);
    expect(await count(eve)).toEqual([2n, 1n]);
    await service.projects.deleteProject({ projectId: project.id }, ada.as);
    expect(await count(eve)).toEqual([1n, 0n]);
    await service.projects.undeleteProject({ projectId: project.id }, ada.as);
    expect(await count(eve)).toEqual([2n, 1n]);
  });
});
