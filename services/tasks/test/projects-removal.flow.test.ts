import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Project, ProjectRole } from '#contract/tasks/v1/projects';
import { InternalTasksServiceService, type Task } from '#contract/tasks/v1/tasks';
import { readServiceKey } from '#dev/cluster';
import { refused } from '#dev/testing';
import { openStub, type Stub } from '#dev/stubs';
import { createServiceIdentity } from '#libs/identity';
import { createTask } from './factories.ts';
import { useTasksCluster, type Person } from './start-cluster.ts';
import { addMember, createProject, projectNotFound } from './start-projects.ts';

const { VIEWER, EDITOR, MANAGER } = ProjectRole;

const service = useTasksCluster({ env: { TASKFLOW_RATE_LIMITS: '{"*":"unlimited"}' } });
let internal: Stub<typeof InternalTasksServiceService>;
beforeAll(() => {
  internal = openStub(InternalTasksServiceService, service.cluster.address('tasks'));
});
afterAll(() => internal.close());

async function asAuth() {
  const identity = createServiceIdentity({ service: 'auth', privateKey: readServiceKey(service.cluster.dir, 'auth') });
  return { metadata: { 'x-taskflow-service': await identity.tokenFor('tasks') } };
}

/** Repeats it as auth does. */
async function removeAccount({ userId }: Person, successor?: Person): Promise<void> {
  const request = { userId, successorId: successor?.userId ?? '' };
  while ((await internal.deleteUserTasks(request, await asAuth())).more);
}

const newPeople = <const N extends readonly string[]>(...names: N) =>
  Promise.all(names.map((name) => service.newUser(name))) as Promise<{ [K in keyof N]: Person }>;
const add = ({ id: projectId }: Project, manager: Person, { userId }: Person, role: ProjectRole) =>
  addMember(service.projects, manager, { projectId, userId, role });
const get = async ({ id: projectId }: Project, { as }: Person) =>
  (await service.projects.getProject({ projectId }, as)).project;
const rolesOf = async ({ id: projectId }: Project, { as }: Person) =>
  (await service.projects.listMembers({ projectId }, as)).members.map(({ userId, role }) => [userId, role]);
const rowsOf = ({ id }: Project, ...columns: string[]) =>
  service.sql<Record<string, string>>(`select ${columns.join()} from events where stream_id = $1 order by sequence`, [
    id,
  ]);
const leftOf = ({ userId }: Person) =>
  service.sql(
    `select 1 from project_members where user_id = $1 union all select 1 from event_audience where user_id = $1`,
    [userId],
  );

describe('the removal of an account that is in projects', () => {
  it('gives a project whose only manager goes to the member of the highest role who joined first', async () => {
    const [ada, viewer, first, second] = await newPeople('Ada', 'Vera', 'Fred', 'Sam');
    const project = await createProject(service.projects, ada);
    await add(project, ada, viewer, VIEWER);
    await add(project, ada, first, EDITOR);
    await add(project, ada, second, EDITOR);
    await removeAccount(ada);
    expect(await rolesOf(project, viewer)).toEqual([
      [viewer.userId, VIEWER],
      [first.userId, MANAGER],
      [second.userId, EDITOR],
    ]);
    expect(await get(project, first)).toMatchObject({ memberCount: 3, role: MANAGER, name: 'Website' });
    expect(await leftOf(ada)).toEqual([]);
    expect((await rowsOf(project, 'type', 'sequence', 'actor')).slice(-2)).toEqual([
      { type: 'PROJECT_EVENT_TYPE_MEMBER_UPDATED', sequence: '5', actor: 'service:auth' },
      { type: 'PROJECT_EVENT_TYPE_MEMBER_REMOVED', sequence: '6', actor: 'service:auth' },
    ]);
  });

  it('makes nobody else a manager while there is one, also not the successor', async () => {
    const [ada, bob, eve, successor] = await newPeople('Ada', 'Bob', 'Eve', 'Sue');
    const project = await createProject(service.projects, ada);
    await add(project, ada, bob, MANAGER);
    await add(project, ada, eve, EDITOR);
    await removeAccount(ada, successor);
    expect(await rolesOf(project, eve)).toEqual([
      [bob.userId, MANAGER],
      [eve.userId, EDITOR],
    ]);
    await removeAccount(eve);
    expect(await rolesOf(project, bob)).toEqual([[bob.userId, MANAGER]]);
  });

  it('leaves its tasks in the project, with the member who follows, also when there is a successor', async () => {
    const [ada, bob, eve, successor] = await newPeople('Ada', 'Bob', 'Eve', 'Sue');
    const project = await createProject(service.projects, ada);
    await add(project, ada, bob, MANAGER);
    await add(project, ada, eve, EDITOR);
    const make = (person: Person, title: string, assigneeId = '') =>
      createTask(service, person, { projectId: project.id, title, assigneeId });
    const tasks = [
      await make(ada, 'own', ada.userId),
      await make(eve, 'of Eve', ada.userId),
      await make(bob, 'of Bob'),
    ];
    await createTask(service, ada, { title: 'alone' });
    await removeAccount(ada, successor);
    const read = async ({ id: taskId }: Task) => (await service.tasks.getTask({ taskId }, eve.as)).task;
    expect(await Promise.all(tasks.map(read))).toMatchObject([
      { title: 'own', ownerId: bob.userId, assigneeId: '', key: 'WEB-1' },
      { title: 'of Eve', ownerId: eve.userId, assigneeId: '' },
      { title: 'of Bob', ownerId: bob.userId },
    ]);
    const titles = (await service.tasks.listTasks({}, successor.as)).tasks.map(({ title }) => title);
    expect(titles).toEqual(['alone']);
    const stats = async (person: Person, projectId = '') =>
      (await service.tasks.getTaskStats({ projectId }, person.as)).stats?.totalCount;
    expect([await stats(bob), await stats(eve), await stats(eve, project.id)]).toEqual([2n, 1n, 3n]);
    expect(await leftOf(ada)).toEqual([]);
  });

  it('has a project without other members pass to the successor', async () => {
    const [ada, successor] = await newPeople('Ada', 'Sue');
    const project = await createProject(service.projects, ada, { name: 'Kept' });
    await removeAccount(ada, successor);
    expect(await get(project, successor)).toMatchObject({ name: 'Kept', role: MANAGER, memberCount: 1 });
    expect(await leftOf(ada)).toEqual([]);
  });

  it('removes a project without other members for good, and what events and answers tell of it', async () => {
    const [ada, former] = await newPeople('Ada', 'Frank');
    const admin = await service.admin();
    const project = await createProject(service.projects, ada, { name: 'Secret plans' });
    const deleted = await createProject(service.projects, ada, { name: 'Secret plans' });
    await service.projects.deleteProject({ projectId: deleted.id }, ada.as);
    await add(project, ada, former, EDITOR);
    await service.projects.leaveProject({ projectId: project.id }, former.as);
    const change = { project: Project.fromPartial({ id: project.id, color: '#ffffff' }), requestId: project.id };
    await service.projects.updateProject(change, admin.as);
    await removeAccount(ada);
    for (const { id } of [project, deleted]) {
      expect(await refused(get({ ...project, id }, admin))).toEqual(projectNotFound);
      expect(await service.sql('select 1 from projects where id = $1', [id])).toEqual([]);
    }
    const told = `select 1 from events where position('Secret plans'::bytea in payload) > 0
      union all select 1 from idempotency_records where position('Secret plans'::bytea in response) > 0`;
    expect(await service.sql(told)).toEqual([]);
    expect(await leftOf(ada)).toEqual([]);
    // Who had left before can still read that they did.
    const [left] = await service.sql<{ count: number }>(
      `select count(*)::int from events e join event_audience a on a.event_id = e.id
       where e.stream_id = $1 and a.user_id = $2 and e.payload <> ''`,
      [project.id, former.userId],
    );
    expect(left?.count).toBe(2);
  });

  it('ends when members change meanwhile, and leaves each project with a manager and the right number', async () => {
    const [ada, bob, eve] = await newPeople('Ada', 'Bob', 'Eve');
    const projects: Project[] = [];
    for (let number = 0; number < 12; number += 1) {
      const project = await createProject(service.projects, ada);
      projects.push(project);
      for (const person of [bob, eve]) await add(project, ada, person, number % 2 === 0 ? MANAGER : EDITOR);
    }
    const leaving = projects.map(({ id: projectId }) =>
      service.projects.leaveProject({ projectId }, bob.as).catch(() => undefined),
    );
    await Promise.all([removeAccount(ada), ...leaving]);
    const [wrong] = await service.sql<{ count: number }>(
      `select count(*)::int from projects p where id = any ($1) and (
         not exists (select from project_members m where m.project_id = p.id and m.role = 4)
         or member_count <> (select count(*) from project_members m where m.project_id = p.id))`,
      [projects.map(({ id }) => id)],
    );
    expect(wrong?.count).toBe(0);
    expect(await leftOf(ada)).toEqual([]);
  });
});
