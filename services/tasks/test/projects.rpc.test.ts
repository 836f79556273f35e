import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  CreateProjectResponse,
  Project,
  ProjectRole,
  UpdateProjectRequest,
  type ListProjectsRequest,
} from '#contract/tasks/v1/projects';
import { invalidFields, readPages, refused } from '#dev/testing';
import { countDifferent, createTask, pageTokenInvalid, staleEtag } from './factories.ts';
import { archived, createProject as create, projectNotFound, roleRequired } from './start-projects.ts';
import { useTasks, useUsers, type TestUser } from './start-tasks.ts';

const day = 24 * 3_600_000;

describe('B9 projects', () => {
  const service = useTasks({ maintenanceIntervalMs: 20, config: { retentionDays: 7 } });
  const [manager, viewer, stranger, admin] = useUsers(service, 'user', 'user', 'user', 'admin');

  const newProject = (fields: Partial<Project> = {}, user = manager) => create(service.projects, user, fields);
  /** Users is down here, so nobody can be added by a call. */
  const join = async ({ id }: Project, { userId }: TestUser, role = 1): Promise<void> => {
    await service.sql('insert into project_members values ($1, $2, $3, 1, now(), now())', [id, userId, role]);
    await service.sql('update projects set member_count = member_count + 1 where id = $1', [id]);
  };
  const get = async ({ id }: Project, user = manager) =>
    (await service.projects.getProject({ projectId: id }, user.as)).project;
  const update = (fields: Partial<Project> & { id: string }, updateMask?: string[], user = manager) =>
    service.projects.updateProject(UpdateProjectRequest.fromPartial({ project: fields, updateMask }), user.as);
  const list = async (user: TestUser, filter: Partial<ListProjectsRequest> = {}) =>
    (await readPages((pageToken) => service.projects.listProjects({ ...filter, pageToken }, user.as))).flatMap(
      ({ projects }) => projects,
    );
  const namesOf = (projects: readonly Project[]): string[] => projects.map(({ name }) => name);
  const eventsOf = ({ id }: Project) =>
    service.sql<{ type: string; sequence: string; subject_version: string }>(
      'select type, sequence, subject_version from events where stream_id = $1 order by sequence',
      [id],
    );
  const typesOf = async (project: Project): Promise<string[]> =>
    (await eventsOf(project)).map(({ type }) => type.replace('PROJECT_EVENT_TYPE_', ''));

  it('are created with their creator as the manager, and read as they were answered', async () => {
    const project = await newProject({ key: 'SITE', name: ' Website ', description: 'all\nof it', color: '#1E90FF' });
    expect(project).toMatchObject({
      key: 'SITE',
      name: 'Website',
      description: 'all\nof it',
      color: '#1e90ff',
      role: ProjectRole.MANAGER,
      memberCount: 1,
    });
    expect(await get(project)).toEqual(project);
    const { members } = await service.projects.listMembers({ projectId: project.id }, manager.as);
    expect(members).toMatchObject([{ userId: manager.userId, role: ProjectRole.MANAGER, projectId: project.id }]);
  });

  it('refuse what breaks a rule, with every field at once', async () => {
    const project = Project.fromPartial({ key: 'web', name: ' ', color: 'red', description: '\u0007' });
    expect(await invalidFields(service.projects.createProject({ project, requestId: 'a b' }, manager.as))).toEqual([
      'project.key',
      'project.name',
      'project.description',
      'project.color',
      'request_id',
    ]);
    expect(await invalidFields(service.projects.createProject({}, manager.as))).toEqual(['project']);
    expect(await invalidFields(update({ id: 'x', name: '' }, ['name', 'key']))).toEqual([
      'project.id',
      'project.name',
      'update_mask',
    ]);
    expect(await invalidFields(update({ id: randomUUID() }))).toEqual(['update_mask']);
    expect(await invalidFields(service.projects.listProjects({ pageSize: -1 }, manager.as))).toEqual(['page_size']);
    const nobody = service.projects.addMember({ projectId: 'x', role: ProjectRole.UNSPECIFIED }, manager.as);
    expect(await invalidFields(nobody)).toEqual(['project_id', 'person', 'role']);
  });

  it('change what the mask names; the key stays', async () => {
    const project = await newProject({ description: 'old', color: '#000000' });
    const { project: renamed } = await update({ id: project.id, key: 'OTHER', name: 'New' });
    expect(renamed).toMatchObject({ key: 'WEB', name: 'New', description: 'old', color: '#000000' });
    const { project: cleared } = await update({ id: project.id, name: 'ignored' }, ['color', 'description']);
    expect(cleared).toMatchObject({ name: 'New', description: '', color: '' });
    const { project: whole } = await update({ id: project.id, name: 'Whole', color: '#ffffff' }, ['*']);
    expect(whole).toMatchObject({ name: 'Whole', description: '', color: '#ffffff' });
    expect(await refused(update({ id: project.id, name: 'x', etag: project.etag }))).toEqual(staleEtag);
    await update({ id: project.id, name: 'x', etag: whole?.etag ?? '' });
    expect(await eventsOf(project)).toMatchObject(
      ['CREATED', 'UPDATED', 'UPDATED', 'UPDATED', 'UPDATED'].map((type, index) => ({
        type: `PROJECT_EVENT_TYPE_${type}`,
        sequence: String(index + 1),
        subject_version: String(index + 1),
      })),
    );
  });

  it('are not there for anybody else, and those who see one may not change it', async () => {
    const project = await newProject();
    const which = { projectId: project.id };
    const calls = [
      (user: TestUser) => update({ id: project.id, name: 'x' }, undefined, user),
      (user: TestUser) => service.projects.archiveProject(which, user.as),
      (user: TestUser) => service.projects.unarchiveProject(which, user.as),
      (user: TestUser) => service.projects.deleteProject(which, user.as),
      (user: TestUser) => service.projects.undeleteProject(which, user.as),
    ];
    await join(project, viewer);
    for (const call of calls) {
      expect(await refused(call(stranger))).toEqual(projectNotFound);
      expect(await refused(call(viewer))).toEqual(roleRequired);
    }
    expect(await refused(get(project, stranger))).toEqual(projectNotFound);
    expect(await refused(get({ ...project, id: randomUUID() }))).toEqual(projectNotFound);
    expect(await get(project, viewer)).toEqual({ ...project, role: ProjectRole.VIEWER, memberCount: 2 });
    expect(await get(project, admin)).toMatchObject({ role: ProjectRole.UNSPECIFIED });
  });

  it('are listed for their members in the order of their creation, page by page', async () => {
    const user = await service.newUser();
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const name of names) await newProject({ name }, user);
    expect(namesOf(await list(user, { pageSize: 2 }))).toEqual(names);
    const { nextPageToken } = await service.projects.listProjects({ pageSize: 2 }, user.as);
    const withToken = (filter: Partial<ListProjectsRequest>, reader: TestUser) =>
      service.projects.listProjects({ pageToken: nextPageToken, ...filter }, reader.as);
    expect(await refused(withToken({ showArchived: true }, user))).toEqual(pageTokenInvalid);
    expect(await refused(withToken({}, manager))).toEqual(pageTokenInvalid);
    expect(await refused(service.projects.listProjects({ all: true }, user.as))).toEqual({
      kind: 'permission_denied',
      reason: 'ADMIN_REQUIRED',
    });
    expect(namesOf(await list(admin, { all: true }))).toEqual(expect.arrayContaining(names));
    expect(await list(admin)).toEqual([]);
  });

  it('are read-only once they are archived, and open again', async () => {
    const user = await service.newUser();
    const project = await newProject({}, user);
    const which = { projectId: project.id };
    const { project: closed } = await service.projects.archiveProject(which, user.as);
    expect(closed?.archiveTime).toBeDefined();
    expect((await service.projects.archiveProject(which, user.as)).project).toEqual(closed);
    expect(await refused(update({ id: project.id, name: 'x' }, undefined, user))).toEqual(archived);
    const change = { ...which, userId: user.userId, role: ProjectRole.EDITOR };
    expect(await refused(service.projects.setMemberRole(change, user.as))).toEqual(archived);
    expect(await list(user)).toEqual([]);
    expect(await list(user, { showArchived: true })).toEqual([closed]);
    const { project: open } = await service.projects.unarchiveProject({ ...which, etag: closed?.etag ?? '' }, user.as);
    expect(open?.archiveTime).toBeUndefined();
    await service.projects.unarchiveProject(which, user.as);
    await update({ id: project.id, name: 'x' }, undefined, user);
    expect(await typesOf(project)).toEqual(['CREATED', 'ARCHIVED', 'UNARCHIVED', 'UPDATED']);
  });

  it('are gone at once when deleted, and come back as they were', async () => {
    const user = await service.newUser();
    const project = await newProject({ name: 'Back' }, user);
    await join(project, viewer);
    const which = { projectId: project.id };
    expect(await refused(service.projects.deleteProject({ ...which, etag: 'old' }, user.as))).toEqual(staleEtag);
    await service.projects.deleteProject({ ...which, etag: project.etag }, user.as);
    expect(await refused(get(project, user))).toEqual(projectNotFound);
    expect(await refused(service.projects.listMembers(which, user.as))).toEqual(projectNotFound);
    expect(await refused(service.projects.deleteProject(which, user.as))).toEqual(projectNotFound);
    expect(await refused(service.projects.leaveProject(which, viewer.as))).toEqual(projectNotFound);
    expect(await list(user)).toEqual([]);
    expect(await list(viewer, { showDeleted: true })).not.toContainEqual(expect.objectContaining({ id: project.id }));
    const [deleted] = await list(user, { showDeleted: true });
    expect((deleted?.purgeTime?.getTime() ?? 0) - (deleted?.deleteTime?.getTime() ?? 0)).toBe(7 * day);
    expect(await refused(service.projects.undeleteProject(which, viewer.as))).toEqual(projectNotFound);
    const { project: back } = await service.projects.undeleteProject(which, user.as);
    expect(back).toEqual({ ...project, memberCount: 2, etag: back?.etag, updateTime: back?.updateTime });
    expect((await service.projects.undeleteProject(which, user.as)).project).toEqual(back);
    expect(await get(project, viewer)).toMatchObject({ name: 'Back' });
    expect(await typesOf(project)).toEqual(['CREATED', 'DELETED', 'UNDELETED']);
  });

  it('are removed for good after their purge time', async () => {
    const project = await newProject();
    await service.projects.deleteProject({ projectId: project.id }, manager.as);
    await service.sql('update projects set purge_time = now() where id = $1', [project.id]);
    const left = () =>
      service.sql(
        `select id from projects where id = $1 union all select user_id from project_members where project_id = $1
         union all select stream_id from event_stream_heads where stream_id = $1`,
        [project.id],
      );
    while ((await left()).length > 0);
    expect(await refused(service.projects.undeleteProject({ projectId: project.id }, manager.as))).toEqual(
      projectNotFound,
    );
    expect(await typesOf(project)).toEqual(['CREATED', 'DELETED']);
  });

  it('take their tasks with them when they are removed for good, which count for nobody then', async () => {
    const user = await service.newUser();
    const { id: projectId } = await newProject({}, user);
    const due = { $case: 'dueTime', value: new Date(Date.now() + day) } as const;
    const tasks = [
      await createTask(service, user, { projectId, due }),
      await createTask(service, user, { projectId, assigneeId: user.userId }),
    ];
    await createTask(service, user);
    await service.tasks.deleteTask({ taskId: tasks[1]?.id ?? '' }, user.as);
    await service.projects.deleteProject({ projectId }, user.as);
    await service.sql('update projects set purge_time = now() where id = $1', [projectId]);
    const left = () =>
      service.sql(
        `select id from tasks where project_id = $1 union all select task_id from task_due where project_id = $1
         union all select id from projects where id = $1
         union all select stream_id from event_stream_heads where stream_id = $1`,
        [projectId],
      );
    while ((await left()).length > 0);
    expect((await service.tasks.getTaskStats({}, user.as)).stats?.totalCount).toBe(1n);
  });

  it('are created once for each request id, and not at all when only checked', async () => {
    const user = await service.newUser();
    const request = { project: Project.fromPartial({ key: 'WEB', name: 'Once' }), requestId: 'once' };
    await service.projects.createProject({ ...request, validateOnly: true }, user.as);
    expect(await list(user)).toEqual([]);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => service.projects.createProject(request, user.as)),
    );
    expect(countDifferent(CreateProjectResponse, answers)).toBe(1);
    const other = { ...request, project: Project.fromPartial({ key: 'WEB', name: 'Twice' }) };
    expect(await refused(service.projects.createProject(other, user.as))).toMatchObject({
      reason: 'REQUEST_ID_REUSED',
    });
    expect(await list(user)).toHaveLength(1);
  });

  it('are at most 200 for a person, also when many are created at the same moment; deleted ones do not count', async () => {
    const user = await service.newUser();
    const first = await newProject({}, user);
    await service.sql(
      `with more as (
         insert into projects select gen_random_uuid(), 'WEB', 'x', '', '', 1, 1, now(), now()
         from generate_series(1, 194) returning id)
       insert into project_members select id, $1, 4, 1, now(), now() from more`,
      [user.userId],
    );
    const results = await Promise.all(
      Array.from({ length: 20 }, () =>
        newProject({}, user).then(
          () => 'OK',
          ({ reason }) => reason as string,
        ),
      ),
    );
    expect(results.filter((result) => result === 'OK')).toHaveLength(5);
    expect(new Set(results)).toEqual(new Set(['OK', 'TOO_MANY_PROJECTS']));
    await service.projects.deleteProject({ projectId: first.id }, user.as);
    await newProject({}, user);
    expect(await refused(service.projects.undeleteProject({ projectId: first.id }, user.as))).toEqual({
      kind: 'failed_precondition',
      reason: 'TOO_MANY_PROJECTS',
    });
  });
});
