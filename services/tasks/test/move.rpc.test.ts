import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ProjectRole, type Project } from '#contract/tasks/v1/projects';
import { MoveTaskResponse, TaskEventType, type MoveTaskRequest, type Task } from '#contract/tasks/v1/tasks';
import { invalidFields, kindAndReason, refused } from '#dev/testing';
import { dueAt } from './due.ts';
import {
  anHourAgo,
  countDifferent,
  createTask,
  inAnHour,
  listAll,
  staleEtag,
  taskNotFound,
  update,
} from './factories.ts';
import { joinBySql, moveTask, projectWith } from './moves.ts';
import { archived, projectNotFound } from './start-projects.ts';
import { useTasks, type TestUser } from './start-tasks.ts';

const { VIEWER, COMMENTER, EDITOR, MANAGER, UNSPECIFIED } = ProjectRole;

describe('B9 moving tasks', () => {
  const service = useTasks();
  let ada: TestUser;
  let bob: TestUser;
  let eve: TestUser;
  beforeEach(async () => {
    [ada, bob, eve] = await Promise.all([service.newUser(), service.newUser(), service.newUser()]);
  });

  const join = (project: Project, user: TestUser, role: ProjectRole) => joinBySql(service, project, user, role);
  const newProject = (key: string, members: [TestUser, ProjectRole][] = []) =>
    projectWith(service, ada, { key, members });
  const move = (user: TestUser, task: Task, project: Project | undefined, rest: Partial<MoveTaskRequest> = {}) =>
    moveTask(service, user, { task, project, ...rest });
  const read = async ({ as }: TestUser, { id: taskId }: Task) => (await service.tasks.getTask({ taskId }, as)).task;
  const assign = ({ id }: Task, { userId }: TestUser) =>
    service.sql('update tasks set assignee_id = $2 where id = $1', [id, userId]);
  const numbers = async ({ as }: TestUser, project?: Project) => {
    const { stats } = await service.tasks.getTaskStats({ projectId: project?.id ?? '' }, as);
    return [Number(stats?.totalCount), Number(stats?.overdueCount)];
  };

  it('gives the task the next number, key and place of the project, and nobody else that of before', async () => {
    const [web, app] = [await newProject('WEB'), await newProject('APP')];
    const first = await createTask(service, ada, { projectId: web.id });
    await createTask(service, ada, { projectId: web.id });
    const other = await createTask(service, ada, { projectId: app.id });
    const moved = await move(ada, first, app);
    expect(moved).toMatchObject({ id: first.id, projectId: app.id, number: 2n, key: 'APP-2' });
    expect(moved.position > other.position).toBe(true);
    expect(moved.etag).not.toBe(first.etag);
    expect(await read(ada, first)).toMatchObject({ key: 'APP-2', etag: moved.etag });
    expect((await move(ada, first, web)).key).toBe('WEB-3');
    expect((await createTask(service, ada, { projectId: web.id })).key).toBe('WEB-4');
    expect((await createTask(service, ada, { projectId: app.id })).key).toBe('APP-3');
    expect(await move(ada, first, undefined)).toMatchObject({ projectId: '', number: 0n, key: '', position: '' });
    expect((await listAll(service, ada, { projectId: web.id })).map(({ key }) => key).toSorted()).toEqual([
      'WEB-2',
      'WEB-4',
    ]);
    expect((await move(ada, first, web)).key).toBe('WEB-5');
  });

  it('changes nothing when the task is there already', async () => {
    const web = await newProject('WEB');
    const [inside, outside] = [await createTask(service, ada, { projectId: web.id }), await createTask(service, ada)];
    expect(await move(ada, inside, web)).toMatchObject({ etag: inside.etag, key: inside.key });
    expect(await move(ada, outside, undefined)).toMatchObject({ etag: outside.etag });
    const { events } = await service.tasks.listTaskEvents({ taskId: inside.id }, ada.as);
    expect(events).toHaveLength(1);
  });

  describe('is for those who may change the task where it is and create tasks where it goes', () => {
    const roles = [UNSPECIFIED, VIEWER, COMMENTER, EDITOR, MANAGER];
    const sources = [...roles, 'own', 'assigned', 'foreign'] as const;
    type Source = (typeof sources)[number];
    const writes = (role: string): boolean => role === EDITOR || role === MANAGER;

    /** The rule, written a second time: of Bob, who owns the task or not, or is assigned to it. */
    function expectedOf(source: Source, target: ProjectRole | 'none', isOwner: boolean): string {
      const answers: Partial<Record<Source, string>> = {
        [UNSPECIFIED]: 'not_found/TASK_NOT_FOUND',
        foreign: 'not_found/TASK_NOT_FOUND',
        assigned: 'permission_denied/NOT_OWNER',
      };
      const mayLeave = source === 'own' || writes(source);
      const mayTakeOut = ['own', MANAGER].includes(source) || (isOwner && writes(source));
      if (target === UNSPECIFIED && mayLeave) return 'not_found/PROJECT_NOT_FOUND';
      const isAllowed = target === 'none' ? mayTakeOut : mayLeave && writes(target);
      return answers[source] ?? (isAllowed ? 'OK' : 'permission_denied/ROLE_REQUIRED');
    }

    async function taskAt(source: Source, isOwner: boolean): Promise<Task> {
      if (source === 'own') return createTask(service, bob);
      const isInProject = (roles as readonly string[]).includes(source);
      const projectId = isInProject ? (await newProject('SRC', [[bob, source as ProjectRole]])).id : '';
      const task = await createTask(service, ada, { projectId });
      if (source === 'assigned') await assign(task, bob);
      if (isOwner) await service.sql('update tasks set owner_id = $2 where id = $1', [task.id, bob.userId]);
      return task;
    }

    for (const source of sources)
      it(`from ${source}`, async () => {
        const [actual, expected]: Record<string, unknown>[] = [{}, {}];
        for (const isOwner of source === 'own' || !(roles as readonly string[]).includes(source)
          ? [false]
          : [false, true])
          for (const target of [...roles, 'none' as const]) {
            const name = `to ${target}${isOwner ? ' as the owner' : ''}`;
            const task = await taskAt(source, isOwner);
            const project = target === 'none' ? undefined : await newProject('TGT', [[bob, target]]);
            const moving = move(bob, task, project);
            Object.assign(actual ?? {}, {
              [name]: await moving.then(
                () => 'OK',
                () => kindAndReason(moving),
              ),
            });
            Object.assign(expected ?? {}, { [name]: expectedOf(source, target, isOwner) });
          }
        expect(actual).toEqual(expected);
      });

    it('by an administrator, as long as the task has an owner there', async () => {
      const admin = await service.newUser('admin');
      const [web, app] = [await newProject('WEB', [[bob, EDITOR]]), await newProject('APP')];
      const [own, foreign] = [
        await createTask(service, ada, { projectId: web.id }),
        await createTask(service, bob, { projectId: web.id }),
      ];
      expect(await move(admin, own, app)).toMatchObject({ ownerId: ada.userId, key: 'APP-1' });
      await expect(refused(move(admin, foreign, app))).resolves.toEqual({
        kind: 'failed_precondition',
        reason: 'OWNER_NOT_MEMBER',
      });
      expect(await move(admin, foreign, undefined)).toMatchObject({ ownerId: bob.userId, projectId: '' });
    });
  });

  it('keeps owner and assignee where they are members, and else makes it the caller’s and nobody’s to do', async () => {
    const both: [TestUser, ProjectRole][] = [
      [bob, EDITOR],
      [eve, VIEWER],
    ];
    const [web, app, shop] = [
      await newProject('WEB', both),
      await newProject('APP', both),
      await newProject('SHOP', [[bob, EDITOR]]),
    ];
    const task = await createTask(service, ada, { projectId: web.id, externalId: 'mine' });
    await service.sql('update tasks set owner_id = $2, assignee_id = $2 where id = $1', [task.id, eve.userId]);
    expect(await move(bob, task, app)).toMatchObject({
      ownerId: eve.userId,
      assigneeId: eve.userId,
      externalId: 'mine',
    });
    expect(await move(bob, task, shop)).toMatchObject({ ownerId: bob.userId, assigneeId: '', externalId: '' });
    await expect(refused(service.tasks.getTask({ taskId: task.id }, eve.as))).resolves.toEqual(taskNotFound);
  });

  it('takes it out to its owner, with its assignee, but not to one who has left the project', async () => {
    const web = await newProject('WEB', [
      [bob, EDITOR],
      [eve, EDITOR],
    ]);
    const [kept, left] = [
      await createTask(service, bob, { projectId: web.id }),
      await createTask(service, bob, { projectId: web.id }),
    ];
    await assign(kept, eve);
    expect(await move(ada, kept, undefined)).toMatchObject({ ownerId: bob.userId, assigneeId: eve.userId });
    await expect(refused(service.tasks.getTask({ taskId: kept.id }, ada.as))).resolves.toEqual(taskNotFound);
    expect((await read(eve, kept))?.projectId).toBe('');
    // Not handed over yet.
    await service.sql('delete from project_members where user_id = $1', [bob.userId]);
    expect(await move(ada, left, undefined)).toMatchObject({ ownerId: ada.userId });
    await expect(refused(service.tasks.getTask({ taskId: left.id }, bob.as))).resolves.toEqual(taskNotFound);
  });

  it('is one event in both streams, of one commit with the row, for the people of both sides', async () => {
    const [web, app] = [await newProject('WEB', [[bob, EDITOR]]), await newProject('APP')];
    const task = await createTask(service, bob, { projectId: web.id });
    await assign(task, bob);
    await move(ada, task, app);
    const [event, ...more] = await service.sql<Record<string, unknown>>(
      `select e.stream_id, e.other_stream_id, e.sequence, e.other_sequence,
         (select last_sequence from event_stream_heads where stream_id = e.stream_id) as last,
         (select last_sequence from event_stream_heads where stream_id = e.other_stream_id) as other_last,
         array(select user_id from event_audience where event_id = e.id order by user_id)::text[] as audience,
         t.xmin::text = (e.transaction_id::text::numeric % 4294967296)::text as same_commit
       from events e join tasks t on t.id = e.subject_id where e.subject_id = $1 and e.type = $2`,
      [task.id, TaskEventType.MOVED],
    );
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      stream_id: app.id,
      other_stream_id: web.id,
      same_commit: true,
      audience: [web.id, app.id, ada.userId, bob.userId].toSorted(),
    });
    expect([event?.['sequence'], event?.['other_sequence']]).toEqual([event?.['last'], event?.['other_last']]);
    const { events } = await service.tasks.listTaskEvents({ taskId: task.id }, ada.as);
    expect(events.at(-1)).toMatchObject({
      type: TaskEventType.MOVED,
      streamId: app.id,
      otherStreamId: web.id,
      actor: ada.userId,
      change: {
        before: { projectId: web.id, key: 'WEB-1', ownerId: bob.userId, assigneeId: bob.userId },
        after: { projectId: app.id, key: 'APP-1', ownerId: ada.userId, assigneeId: '' },
      },
    });
  });

  it('is counted on both sides, of the projects and the people, overdue tasks too', async () => {
    const [web, app] = [await newProject('WEB', [[bob, EDITOR]]), await newProject('APP')];
    const marked = await createTask(service, bob, { projectId: web.id, ...dueAt(anHourAgo()) });
    await service.sweep();
    const unmarked = await createTask(service, ada, { projectId: web.id, ...dueAt(anHourAgo()) });
    await createTask(service, ada, { projectId: web.id, ...dueAt(inAnHour()) });
    expect([await numbers(ada, web), await numbers(ada, app)]).toEqual([
      [3, 2],
      [0, 0],
    ]);
    await move(ada, marked, app);
    await move(ada, unmarked, app);
    const check = async (): Promise<void> =>
      expect([
        await numbers(ada, web),
        await numbers(ada, app),
        await numbers(ada),
        await numbers(bob),
        (await listAll(service, ada, { projectId: app.id, overdue: true })).length,
      ]).toEqual([[1, 0], [2, 2], [3, 2], [0, 0], 2]);
    await check();
    await service.sweep();
    await check();
    const told = await service.sql<{ stream_id: string; id: string }>(
      `select stream_id, subject_id as id from events where type = $1 and subject_id = any ($2::uuid[]) order by events.id`,
      [TaskEventType.OVERDUE, [marked.id, unmarked.id]],
    );
    expect(told).toEqual([
      { stream_id: web.id, id: marked.id },
      { stream_id: app.id, id: unmarked.id },
    ]);
    await move(ada, marked, undefined);
    expect([await numbers(ada, app), await numbers(ada)]).toEqual([
      [1, 1],
      [3, 2],
    ]);
  });

  it('takes comments with it, and those watchers who see it where it goes, for good', async () => {
    const [web, app] = [
      await newProject('WEB', [
        [bob, EDITOR],
        [eve, VIEWER],
      ]),
      await newProject('APP'),
    ];
    const task = await createTask(service, ada, { projectId: web.id });
    const which = { taskId: task.id };
    await service.comments.addComment({ ...which, text: 'Done?' }, bob.as);
    await service.tasks.startWatchingTask(which, eve.as);
    const stopper = await service.newUser();
    for (const project of [web, app]) await join(project, stopper, VIEWER);
    await service.tasks.stopWatchingTask(which, stopper.as);
    // Joined the target behind the choice for the task.
    await join(app, eve, VIEWER);
    const watchers = async () =>
      (await service.tasks.listTaskWatchers(which, ada.as)).watchers.map(({ userId }) => userId).toSorted();
    const idsOf = (...users: TestUser[]) => users.map(({ userId }) => userId).toSorted();
    expect(await watchers()).toEqual(idsOf(ada, bob, eve));
    await move(ada, task, app);
    expect(await watchers()).toEqual(idsOf(ada, eve));
    expect((await service.comments.listComments(which, eve.as)).comments.map(({ text }) => text)).toEqual(['Done?']);
    expect(
      await service.sql('select user_id from task_watchers where not watching and task_id = $1', [task.id]),
    ).toEqual([{ user_id: stopper.userId }]);
    await move(ada, task, web);
    expect(await watchers()).toEqual(idsOf(ada, eve));
    await move(ada, task, undefined);
    expect(await watchers()).toEqual(idsOf(ada));
    await move(ada, task, app);
    expect(await watchers()).toEqual(idsOf(ada));
  });

  it('happens once with a request id, only with the current etag, and not at all when it is only checked', async () => {
    const [web, app] = [await newProject('WEB'), await newProject('APP')];
    const task = await createTask(service, ada, { projectId: web.id });
    const checked = await move(ada, task, app, { validateOnly: true });
    expect(checked).toMatchObject({ key: 'APP-1', projectId: app.id });
    expect((await read(ada, task))?.etag).toBe(task.etag);
    await expect(refused(move(ada, task, app, { etag: 'old' }))).resolves.toEqual(staleEtag);
    const request = { taskId: task.id, projectId: app.id, etag: task.etag, requestId: randomUUID() };
    const answers = await Promise.all([1, 2, 3, 4].map(() => service.tasks.moveTask(request, ada.as)));
    expect(countDifferent(MoveTaskResponse, answers)).toBe(1);
    expect(answers[0]?.task?.key).toBe('APP-1');
    await expect(refused(service.tasks.moveTask({ ...request, projectId: web.id }, ada.as))).resolves.toMatchObject({
      reason: 'REQUEST_ID_REUSED',
    });
    expect((await createTask(service, ada, { projectId: app.id })).key).toBe('APP-2');
  });

  it('is refused into and out of archived and deleted projects, and for malformed ids', async () => {
    const [web, app] = [await newProject('WEB'), await newProject('APP')];
    const [inside, outside] = [await createTask(service, ada, { projectId: web.id }), await createTask(service, ada)];
    await service.projects.archiveProject({ projectId: web.id }, ada.as);
    await expect(refused(move(ada, outside, web))).resolves.toEqual(archived);
    for (const project of [app, undefined])
      await expect(refused(move(ada, inside, project))).resolves.toEqual(archived);
    await service.projects.deleteProject({ projectId: web.id }, ada.as);
    await expect(refused(move(ada, outside, web))).resolves.toEqual(projectNotFound);
    await expect(refused(move(ada, inside, app))).resolves.toEqual(taskNotFound);
    await service.tasks.deleteTask({ taskId: outside.id }, ada.as);
    await expect(refused(move(ada, outside, app))).resolves.toEqual(taskNotFound);
    await expect(invalidFields(service.tasks.moveTask({ taskId: 'x', projectId: 'y' }, ada.as))).resolves.toEqual([
      'task_id',
      'project_id',
    ]);
    await expect(refused(service.tasks.updateTask(update(inside.id, { title: 'x' }), ada.as))).resolves.toEqual(
      taskNotFound,
    );
  });
});
