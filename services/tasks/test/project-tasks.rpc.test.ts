import { describe, expect, it } from '@jest/globals';
import { ProjectRole, projectRoleToNumber, type Project } from '#contract/tasks/v1/projects';
import { CreateTaskRequest, Task, TaskChange, TaskStatus } from '#contract/tasks/v1/tasks';
import { kindAndReason, refused } from '#dev/testing';
import { createTask, creations, deletions, errorOf, taskNotFound, taskOf, update } from './factories.ts';
import { archived, createProject, projectNotFound } from './start-projects.ts';
import { useTasks, useUsers, type TestUser } from './start-tasks.ts';

const { VIEWER, COMMENTER, EDITOR, MANAGER, UNSPECIFIED } = ProjectRole;
const roles = [UNSPECIFIED, VIEWER, COMMENTER, EDITOR, MANAGER];

describe('C1 tasks in projects', () => {
  const service = useTasks();
  const [manager, member, stranger, admin] = useUsers(service, 'user', 'user', 'user', 'admin');

  /** Users is down here, so nobody can be added by a call. */
  const join = (projectId: string, { userId }: TestUser, role: ProjectRole) =>
    service.sql('insert into project_members values ($1, $2, $3, 1, now(), now())', [
      projectId,
      userId,
      projectRoleToNumber(role),
    ]);
  async function projectOf(role: ProjectRole, person = member): Promise<Project> {
    const project = await createProject(service.projects, manager);
    if (role !== UNSPECIFIED) await join(project.id, person, role);
    return project;
  }
  const create = (user: TestUser, { id: projectId }: Project, fields: Partial<Task> = {}) =>
    createTask(service, user, { projectId, ...fields });

  it('have dense numbers and a key, whoever creates them at once and whatever fails meanwhile', async () => {
    const project = await projectOf(EDITOR);
    const request = (title: string) => ({ task: Task.fromPartial({ title, projectId: project.id }) });
    const creating = Array.from({ length: 50 }, (_, index) => create(index % 2 === 0 ? manager : member, project));
    const [tasks] = await Promise.all([
      Promise.all(creating),
      refused(service.tasks.createTask(request(''), manager.as)),
      service.tasks.createTask({ ...request('only checked'), validateOnly: true }, member.as),
    ]);
    expect(tasks.map(({ number }) => Number(number)).toSorted((one, other) => one - other)).toEqual(
      tasks.map((_, index) => index + 1),
    );
    for (const { key, number } of tasks) expect(key).toBe(`WEB-${number}`);
    const { results } = await service.tasks.batchCreateTasks(
      {
        requests: [
          ...creations([Task.fromPartial({ title: 'a', projectId: project.id, externalId: 'once' })]),
          ...creations([Task.fromPartial({ title: 'b', projectId: project.id, externalId: 'once' })]),
          ...creations([Task.fromPartial({ title: 'c', projectId: project.id })]),
        ],
        allowPartial: true,
      },
      member.as,
    );
    expect(results.map((result) => taskOf(result)?.key)).toEqual(['WEB-51', undefined, 'WEB-52']);
  });

  it('of a batch take the numbers of each of their projects', async () => {
    const [one, other] = [await projectOf(EDITOR), await projectOf(VIEWER)];
    const tasks = [one, other, one].map(({ id: projectId }) => Task.fromPartial({ title: 'x', projectId }));
    const { results } = await service.tasks.batchCreateTasks({ requests: creations(tasks) }, manager.as);
    expect(results.map((result) => taskOf(result)?.number)).toEqual([1n, 1n, 2n]);
    const partial = { requests: creations(tasks), allowPartial: true };
    const { results: some } = await service.tasks.batchCreateTasks(partial, member.as);
    expect(some.map((result) => taskOf(result)?.number)).toEqual([3n, undefined, 4n]);
    expect(some.flatMap((result) => errorOf(result)?.message ?? [])).toEqual([expect.stringContaining('EDITOR')]);
  });

  it('have no number and no key without a project', async () => {
    expect(await createTask(service, manager)).toMatchObject({ projectId: '', number: 0n, key: '' });
  });

  it('are created by editors and managers who are members', async () => {
    const outcomes: unknown[] = [];
    for (const role of roles) {
      const project = await projectOf(role);
      outcomes.push(await kindAndReason(create(member, project)).catch(() => 'OK'));
    }
    expect(outcomes).toEqual([
      'not_found/PROJECT_NOT_FOUND',
      'permission_denied/ROLE_REQUIRED',
      'permission_denied/ROLE_REQUIRED',
      'OK',
      'OK',
    ]);
    const project = await projectOf(UNSPECIFIED);
    await expect(refused(create(admin, project))).resolves.toMatchObject({ reason: 'OWNER_NOT_MEMBER' });
    await expect(refused(create(manager, project, { assigneeId: stranger.userId }))).resolves.toMatchObject({
      kind: 'unavailable',
    });
    await join(project.id, admin, EDITOR);
    expect(await create(admin, project)).toMatchObject({ ownerId: admin.userId, key: 'WEB-1' });
  });

  it('are assigned to members only, also by administrators to themselves', async () => {
    const project = await projectOf(VIEWER);
    const { id } = await create(manager, project);
    const assign = (person: TestUser, as: TestUser) =>
      service.tasks.updateTask(update(id, { assigneeId: person.userId }), as.as);
    await expect(refused(assign(admin, admin))).resolves.toEqual({
      kind: 'failed_precondition',
      reason: 'ASSIGNEE_NOT_MEMBER',
    });
    expect((await assign(manager, manager)).task?.assigneeId).toBe(manager.userId);
  });

  /** Of a task that somebody else owns and nobody or the caller is assigned to. */
  const calls: Record<string, (taskId: string, { as }: TestUser) => Promise<unknown>> = {
    GetTask: (taskId, { as }) => service.tasks.getTask({ taskId }, as),
    BatchGetTasks: (taskId, { as }) => service.tasks.batchGetTasks({ taskIds: [taskId] }, as),
    ListTaskEvents: (taskId, { as }) => service.tasks.listTaskEvents({ taskId }, as),
    'UpdateTask status': (taskId, { as }) =>
      service.tasks.updateTask(update(taskId, { status: TaskStatus.IN_PROGRESS }), as),
    UpdateTask: (taskId, { as }) => service.tasks.updateTask(update(taskId, { title: 'x' }), as),
    BatchUpdateTasks: (taskId, { as }) =>
      service.tasks.batchUpdateTasks({ requests: [update(taskId, { title: 'y' })] }, as),
    DeleteTask: (taskId, { as }) => service.tasks.deleteTask({ taskId, validateOnly: true }, as),
    BatchDeleteTasks: (taskId, { as }) =>
      service.tasks.batchDeleteTasks({ requests: deletions([taskId]), validateOnly: true }, as),
    UndeleteTask: (taskId, { as }) => service.tasks.undeleteTask({ taskId }, as),
  };
  const reads = ['GetTask', 'BatchGetTasks', 'ListTaskEvents'];

  function expectedOf(method: string, role: ProjectRole, isAssigned: boolean): string {
    if (role === UNSPECIFIED) return 'not_found/TASK_NOT_FOUND';
    const writes = role === EDITOR || role === MANAGER || (method === 'UpdateTask status' && isAssigned);
    return reads.includes(method) || writes ? 'OK' : 'permission_denied/ROLE_REQUIRED';
  }

  it.each([false, true])('let each role do what the table says, when it is the assignee: %s', async (isAssigned) => {
    const [expected, actual]: Record<string, string>[] = [{}, {}];
    for (const role of roles) {
      const project = await projectOf(role);
      const { id } = await create(manager, project);
      if (isAssigned) await service.sql('update tasks set assignee_id = $2 where id = $1', [id, member.userId]);
      for (const [method, call] of Object.entries(calls)) {
        const name = `${method} by ${role}`;
        Object.assign(expected ?? {}, { [name]: expectedOf(method, role, isAssigned) });
        const outcome = await call(id, member).then(
          () => 'OK',
          (error: unknown) => kindAndReason(Promise.reject(error)),
        );
        Object.assign(actual ?? {}, { [name]: outcome });
        expect([name, await call(id, admin).then(() => 'OK')]).toEqual([name, 'OK']);
      }
    }
    expect(actual).toEqual(expected);
  });

  it('end with the membership, for their owner too', async () => {
    const project = await projectOf(EDITOR);
    const task = await create(member, project);
    await service.projects.leaveProject({ projectId: project.id }, member.as);
    for (const call of Object.values(calls))
      await expect(refused(call(task.id, member))).resolves.toEqual(taskNotFound);
  });

  it('of an archived project are read-only, and of a deleted one gone', async () => {
    const project = await projectOf(VIEWER);
    const { id } = await create(manager, project);
    const which = { projectId: project.id };
    await service.projects.archiveProject(which, manager.as);
    for (const [method, call] of Object.entries(calls)) {
      if (reads.includes(method)) await call(id, manager);
      else expect([method, await refused(call(id, manager))]).toEqual([method, archived]);
    }
    await expect(refused(create(manager, project))).resolves.toEqual(archived);
    const statesOf = async () =>
      (await service.internal.batchGetTaskStates({ taskIds: [id] }, await service.asService('scheduler'))).states;
    expect(await statesOf()).toMatchObject([{ taskId: id }]);
    await service.projects.deleteProject(which, manager.as);
    for (const call of Object.values(calls))
      for (const person of [manager, admin]) await expect(refused(call(id, person))).resolves.toEqual(taskNotFound);
    expect(await statesOf()).toEqual([]);
    await expect(refused(create(manager, project))).resolves.toEqual(projectNotFound);
    await service.projects.undeleteProject(which, manager.as);
    await service.projects.unarchiveProject(which, manager.as);
    expect((await create(manager, project)).key).toBe('WEB-2');
  });

  it('that are deleted are there for those who may bring them back', async () => {
    const project = await projectOf(EDITOR);
    await join(project.id, stranger, VIEWER);
    const { id: taskId } = await create(manager, project);
    await service.tasks.deleteTask({ taskId }, member.as);
    await expect(refused(service.tasks.undeleteTask({ taskId }, stranger.as))).resolves.toEqual(taskNotFound);
    await expect(refused(service.tasks.listTaskEvents({ taskId }, stranger.as))).resolves.toEqual(taskNotFound);
    expect((await service.tasks.undeleteTask({ taskId }, member.as)).task).toMatchObject({ id: taskId, key: 'WEB-1' });
    expect((await service.tasks.listTaskEvents({ taskId }, stranger.as)).events).toHaveLength(3);
  });

  it('tell the log in the stream of the project, for the project and the people, and count in both', async () => {
    const project = await projectOf(EDITOR);
    const { id } = await create(member, project, { assigneeId: member.userId });
    const events = await service.sql<{ stream_id: string; sequence: string; payload: Buffer; audience: string[] }>(
      `select stream_id, sequence, payload, array(
         select user_id from event_audience where event_id = events.id order by user_id)::text[] as audience
       from events where subject_id = $1`,
      [id],
    );
    expect(events).toMatchObject([
      { stream_id: project.id, sequence: '2', audience: [project.id, member.userId].toSorted() },
    ]);
    expect(TaskChange.decode(events[0]?.payload ?? Buffer.of()).after).toMatchObject({
      projectId: project.id,
      key: 'WEB-1',
    });
    const counters = await service.sql<{ total: string }>(
      'select (select sum(c) from unnest(counters) c) as total from event_stream_heads where stream_id = $1',
      [project.id],
    );
    expect(counters).toEqual([{ total: '1' }]);
    expect((await service.tasks.getTaskStats({}, member.as)).stats?.totalCount).toBeGreaterThan(0n);
  });

  it('keep their project when they are updated, and a request that names another one changes nothing of it', async () => {
    const [project, other] = [await projectOf(EDITOR), await projectOf(EDITOR)];
    const { id } = await create(manager, project);
    const request = update(id, { title: 'x', projectId: other.id }, ['title']);
    expect((await service.tasks.updateTask(request, manager.as)).task).toMatchObject({ projectId: project.id });
    const malformed = CreateTaskRequest.fromPartial({ task: { title: 'x', projectId: 'web' } });
    await expect(refused(service.tasks.createTask(malformed, manager.as))).resolves.toMatchObject({
      kind: 'invalid_argument',
    });
    await expect(refused(service.tasks.updateTask(update(id, { title: 'y' }), stranger.as))).resolves.toEqual(
      taskNotFound,
    );
  });
});
