import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { AddMemberResponse, ProjectRole, type Project } from '#contract/tasks/v1/projects';
import { NameResolution } from '#contract/tasks/v1/tasks';
import { User } from '#contract/users/v1/users';
import { readPages, refused } from '#dev/testing';
import { countDifferent, createTask, staleEtag } from './factories.ts';
import { events, settle, sync, watch } from './mirror.ts';
import { usePeople, useTasksCluster, type Person } from './start-cluster.ts';
import {
  addMember,
  archived,
  byEmail,
  byId,
  createProject,
  lastManager,
  projectNotFound,
  roleRequired,
} from './start-projects.ts';

const { VIEWER, COMMENTER, EDITOR, MANAGER } = ProjectRole;

const service = useTasksCluster({ env: { TASKFLOW_RATE_LIMITS: '{"*":"unlimited"}' } });
const [ada, bob, eve, open] = usePeople(service, 'Ada', 'Bob', 'Eve', 'Olga');
beforeAll(async () => {
  await service.users.updateUser({ user: User.fromPartial({ id: open.userId, discoverable: true }) }, open.as);
});

const personNotFound = { kind: 'failed_precondition', reason: 'PERSON_NOT_FOUND' };
const memberNotFound = { kind: 'not_found', reason: 'MEMBER_NOT_FOUND' };

/** A project, and the etag of a member; '' = any. */
type Which = Pick<Project, 'id'> & Partial<Pick<Project, 'etag'>>;

const newProject = (person: Person = ada): Promise<Project> => createProject(service.projects, person);
const add = ({ id: projectId }: Project, { userId }: Person, role: ProjectRole = VIEWER, manager = ada) =>
  addMember(service.projects, manager, { projectId, userId, role });
const setRole = ({ id: projectId, etag = '' }: Which, { userId }: Person, role: ProjectRole, caller = ada) =>
  service.projects.setMemberRole({ projectId, userId, role, etag }, caller.as);
const remove = ({ id: projectId, etag = '' }: Which, { userId }: Person, caller = ada) =>
  service.projects.removeMember({ projectId, userId, etag }, caller.as);
const leave = ({ id: projectId }: Project, person: Person) => service.projects.leaveProject({ projectId }, person.as);
const get = async ({ id: projectId }: Project, person: Person) =>
  (await service.projects.getProject({ projectId }, person.as)).project;
const members = async ({ id: projectId }: Project, person: Person = ada, pageSize = 0) =>
  (await readPages((pageToken) => service.projects.listMembers({ projectId, pageSize, pageToken }, person.as))).flatMap(
    (page) => page.members,
  );
const rolesIn = async (project: Project, person: Person = ada) =>
  (await members(project, person)).map(({ userName, role }) => [userName, role]);

describe('B10 members of a project', () => {
  it('are added by id or e-mail, with their names, and listed in the order in which they joined', async () => {
    const project = await newProject();
    expect(await add(project, bob, EDITOR)).toMatchObject({ userName: 'Bob', userId: bob.userId, role: EDITOR });
    const spelling = ` ${open.email.toUpperCase()}`;
    const request = { projectId: project.id, person: byEmail(spelling), role: COMMENTER };
    const { member, nameResolution } = await service.projects.addMember(request, ada.as);
    expect(member).toMatchObject({ userId: open.userId, userName: 'Olga', role: COMMENTER });
    expect(nameResolution).toBe(NameResolution.COMPLETE);
    await add(project, eve);
    expect(await rolesIn(project, bob)).toEqual([
      ['Ada', MANAGER],
      ['Bob', EDITOR],
      ['Olga', COMMENTER],
      ['Eve', VIEWER],
    ]);
    expect((await members(project, eve, 2)).map(({ userName }) => userName)).toEqual(['Ada', 'Bob', 'Olga', 'Eve']);
    expect(await get(project, eve)).toMatchObject({ memberCount: 4, role: VIEWER, etag: project.etag });
  });

  it('cannot be somebody whom the caller does not find: nobody and the hidden get the same answer', async () => {
    const project = await newProject();
    const addBy = (person: ReturnType<typeof byEmail> | ReturnType<typeof byId>) =>
      refused(service.projects.addMember({ projectId: project.id, person, role: VIEWER }, ada.as));
    expect(await addBy(byId(randomUUID()))).toEqual(personNotFound);
    expect(await addBy(byEmail(`${randomUUID()}@example.com`))).toEqual(personNotFound);
    const hidden = await service.newUser('Hank');
    expect(await addBy(byEmail(hidden.email))).toEqual(personNotFound);
    expect(await members(project)).toHaveLength(1);
    // Whoever is in a project with the caller can be found.
    await add(await newProject(), hidden);
    const request = { projectId: project.id, person: byEmail(hidden.email), role: VIEWER };
    expect((await service.projects.addMember(request, ada.as)).member?.userId).toBe(hidden.userId);
  });

  it('are each there once', async () => {
    const project = await newProject();
    const results = await Promise.all(
      Array.from({ length: 8 }, () =>
        add(project, bob).then(
          () => 'OK',
          ({ reason }) => reason as string,
        ),
      ),
    );
    expect(results.toSorted()).toEqual([...Array<string>(7).fill('MEMBER_EXISTS'), 'OK']);
    expect(await get(project, ada)).toMatchObject({ memberCount: 2 });
  });

  it('are added once for each request id, and not at all when only checked', async () => {
    const project = await newProject();
    const request = { projectId: project.id, person: byId(bob.userId), role: VIEWER, requestId: randomUUID() };
    await service.projects.addMember({ ...request, validateOnly: true }, ada.as);
    expect(await members(project)).toHaveLength(1);
    const answers = await Promise.all(Array.from({ length: 5 }, () => service.projects.addMember(request, ada.as)));
    expect(countDifferent(AddMemberResponse, answers)).toBe(1);
    await remove({ id: project.id }, bob);
    expect(await service.projects.addMember(request, ada.as)).toEqual(answers[0]);
    expect(await members(project)).toHaveLength(1);
  });

  it('have their roles changed, with an etag that must be current', async () => {
    const project = await newProject();
    const { id } = project;
    const { etag } = await add(project, bob);
    const { member } = await setRole({ id, etag }, bob, EDITOR);
    expect(member).toMatchObject({ role: EDITOR, userName: 'Bob' });
    expect(await refused(setRole({ id, etag }, bob, VIEWER))).toEqual(staleEtag);
    const { member: same } = await setRole({ id: project.id }, bob, EDITOR);
    expect(same).toEqual({ ...member, etag: same?.etag, updateTime: same?.updateTime });
    await setRole({ id: project.id }, ada, MANAGER);
    expect(await refused(remove({ id, etag }, bob))).toEqual(staleEtag);
    expect(await refused(setRole({ id: project.id }, eve, EDITOR))).toEqual(memberNotFound);
    expect(await refused(remove({ id: project.id }, eve))).toEqual(memberNotFound);
  });

  it('see nothing of the project from the moment at which they are removed, also with a token of before', async () => {
    const project = await newProject();
    await add(project, bob, MANAGER);
    const which = { projectId: project.id, pageSize: 1 };
    const { nextPageToken: pageToken } = await service.projects.listMembers(which, bob.as);
    await remove({ id: project.id }, bob);
    expect(await refused(get(project, bob))).toEqual(projectNotFound);
    expect(await refused(service.projects.listMembers({ ...which, pageToken }, bob.as))).toEqual(projectNotFound);
    expect(await refused(add(project, eve, VIEWER, bob))).toEqual(projectNotFound);
    expect(await refused(leave(project, bob))).toEqual(projectNotFound);
  });

  it('may leave, also an archived project, and nobody else may take them out but managers', async () => {
    const project = await newProject();
    for (const person of [bob, eve]) await add(project, person, EDITOR);
    expect(await refused(remove({ id: project.id }, eve, bob))).toEqual(roleRequired);
    await service.projects.archiveProject({ projectId: project.id }, ada.as);
    expect(await refused(add(project, open))).toEqual(archived);
    expect(await refused(setRole({ id: project.id }, bob, VIEWER))).toEqual(archived);
    await leave(project, eve);
    await remove({ id: project.id }, bob);
    expect(await rolesIn(project)).toEqual([['Ada', MANAGER]]);
    expect(await refused(leave(project, await service.admin()))).toEqual(memberNotFound);
  });

  it('are at most 500', async () => {
    const project = await newProject();
    await service.sql(
      `insert into project_members select $1, gen_random_uuid(), 1, 1, now(), now() from generate_series(1, 498)`,
      [project.id],
    );
    await service.sql('update projects set member_count = 499 where id = $1', [project.id]);
    const results = await Promise.allSettled([bob, eve, open].map((person) => add(project, person)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as object] : []));
    expect(refusals).toMatchObject([{ reason: 'TOO_MANY_MEMBERS' }, { reason: 'TOO_MANY_MEMBERS' }]);
  });
});

describe('the last manager', () => {
  it('can neither leave, nor be removed, nor get another role', async () => {
    const project = await newProject();
    await add(project, bob, EDITOR);
    expect(await refused(leave(project, ada))).toEqual(lastManager);
    expect(await refused(remove({ id: project.id }, ada))).toEqual(lastManager);
    expect(await refused(setRole({ id: project.id }, ada, EDITOR))).toEqual(lastManager);
    await setRole({ id: project.id }, bob, MANAGER);
    await leave(project, ada);
    expect(await rolesIn(project, bob)).toEqual([['Bob', MANAGER]]);
  });

  it('stays when 50 managers demote each other, remove each other and leave at the same moment', async () => {
    const people = [ada, bob, eve, open];
    for (let round = 0; round < 5; round += 1) {
      const project = await newProject();
      for (const person of [bob, eve, open]) await add(project, person, MANAGER);
      const calls = Array.from({ length: 50 }, (_, index) => {
        const [caller, other] = [people[index % 4], people[(index + 1 + (index % 3)) % 4]] as [Person, Person];
        const ways = [
          () => setRole({ id: project.id }, other, VIEWER, caller),
          () => remove({ id: project.id }, other, caller),
          () => leave(project, caller),
          () => setRole({ id: project.id }, caller, EDITOR, caller),
        ];
        return ways[(index + round) % ways.length]?.().then(
          () => 'OK',
          ({ reason }) => reason as string,
        );
      });
      const outcomes = new Set(await Promise.all(calls));
      for (const reason of ['OK', 'LAST_MANAGER', 'ROLE_REQUIRED', 'PROJECT_NOT_FOUND', 'MEMBER_NOT_FOUND'])
        outcomes.delete(reason);
      expect([...outcomes]).toEqual([]);
      const [counted] = await service.sql<{ members: number; managers: number; counted: number }>(
        `select count(*)::int as members, (count(*) filter (where role = 4))::int as managers,
           (select member_count from projects where id = $1) as counted
         from project_members where project_id = $1`,
        [project.id],
      );
      expect(counted?.managers).toBeGreaterThan(0);
      expect(counted?.counted).toBe(counted?.members);
    }
  });
});

describe('the events of projects', () => {
  it('are one for each change, densely numbered, and concern the project and whoever joins, changes or goes', async () => {
    const project = await newProject();
    await add(project, bob);
    await setRole({ id: project.id }, bob, EDITOR);
    await service.projects.archiveProject({ projectId: project.id }, ada.as);
    await leave(project, bob);
    const rows = await service.sql<{ type: string; sequence: string; audience: string[] }>(
      `select e.type, e.sequence, array_agg(a.user_id::text order by a.user_id) as audience
       from events e join event_audience a on a.event_id = e.id where stream_id = $1
       group by e.id order by e.sequence`,
      [project.id],
    );
    const both = ({ userId }: Person): string[] => [project.id, userId].toSorted();
    expect(rows).toEqual([
      { type: 'PROJECT_EVENT_TYPE_CREATED', sequence: '1', audience: both(ada) },
      { type: 'PROJECT_EVENT_TYPE_MEMBER_ADDED', sequence: '2', audience: both(bob) },
      { type: 'PROJECT_EVENT_TYPE_MEMBER_UPDATED', sequence: '3', audience: both(bob) },
      { type: 'PROJECT_EVENT_TYPE_ARCHIVED', sequence: '4', audience: [project.id] },
      { type: 'PROJECT_EVENT_TYPE_MEMBER_REMOVED', sequence: '5', audience: both(bob) },
    ]);
  });

  it('are no news of tasks: a watcher and a sync pass over them and miss nothing', async () => {
    const person = await service.newUser('Watcher');
    const stream = await watch(service, person);
    const token = await sync(service, person, new Map());
    const project = await newProject(person);
    await service.projects.deleteProject({ projectId: project.id }, person.as);
    const task = await createTask(service, person, { title: 'after the project' });
    await stream.until(() => events(stream).length > 0);
    expect(events(stream).map(({ taskId, sequence }) => [taskId, sequence])).toEqual([[task.id, 1n]]);
    await settle(async () => {
      // A page ends where a project begins or ends for the person.
      const pages = await readPages((pageToken) => service.tasks.syncTasks({ syncToken: token, pageToken }, person.as));
      expect(pages.flatMap(({ tasks }) => tasks.map(({ id }) => id))).toEqual([task.id]);
      expect(pages.flatMap(({ removedTaskIds }) => removedTaskIds)).toEqual([]);
    });
    // From the token of before, by the log and not by the broadcaster.
    const again = await watch(service, person, token);
    await again.until(() => events(again).length > 0);
    expect(events(again).map(({ taskId }) => taskId)).toEqual([task.id]);
    await Promise.all([stream.stop(), again.stop()]);
  });
});
