import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Project } from '#contract/tasks/v1/projects';
import { TaskStatus, type EventPosition, type EventReaders, type Task } from '#contract/tasks/v1/tasks';
import { waitUntil } from '#dev/cluster';
import { invalidFields, readExport, readPages, refused } from '#dev/testing';
import { createTask, taskNotFound, update } from './factories.ts';
import { projectNotFound } from './start-projects.ts';
import { useTasks, useUsers, type TestUser } from './start-tasks.ts';

describe('C9 watchers of tasks', () => {
  const service = useTasks();
  const [owner, assignee, stranger, admin] = useUsers(service, 'user', 'user', 'user', 'admin');

  /** Users is down here, so nobody can be assigned or added by a call. */
  const newTask = async (): Promise<Task> => {
    const task = await createTask(service, owner);
    await service.sql('update tasks set assignee_id = $2 where id = $1', [task.id, assignee.userId]);
    return task;
  };
  const newProjectTask = async (...members: TestUser[]): Promise<Task> => {
    const project = Project.fromPartial({ key: 'WEB', name: 'Website' });
    const { project: created } = await service.projects.createProject({ project }, owner.as);
    for (const member of members) await join(created?.id ?? '', member);
    return createTask(service, owner, { projectId: created?.id ?? '' });
  };
  const join = (projectId: string, { userId }: TestUser) =>
    service.sql('insert into project_members values ($1, $2, 2, 1, now(), now())', [projectId, userId]);
  const leave = (projectId: string, { userId }: TestUser) =>
    service.sql('delete from project_members where project_id = $1 and user_id = $2', [projectId, userId]);
  const start = (user: TestUser, { id: taskId }: Task) => service.tasks.startWatchingTask({ taskId }, user.as);
  const stop = (user: TestUser, { id: taskId }: Task) => service.tasks.stopWatchingTask({ taskId }, user.as);
  const comment = (user: TestUser, { id: taskId }: Task, mentionIds: string[] = []) =>
    service.comments.addComment({ taskId, text: 'Done?', mentionIds }, user.as);
  const watchers = async (user: TestUser, { id: taskId }: Task): Promise<string[]> =>
    (
      await readPages((pageToken) => service.tasks.listTaskWatchers({ taskId, pageSize: 1, pageToken }, user.as))
    ).flatMap((page) => page.watchers.map(({ userId }) => userId));
  const idsOf = (...users: TestUser[]): string[] => users.map(({ userId }) => userId).toSorted();

  let position: EventPosition | undefined;
  /** Who is to be told of the latest event of a task, as the scheduler hears it. */
  async function readersOf({ id }: Task): Promise<EventReaders | undefined> {
    const [row] = await service.sql<{ id: string }>('select max(id) as id from events where subject_id = $1', [id]);
    const newest = BigInt(row?.id ?? 0);
    let readers: EventReaders | undefined;
    await waitUntil(
      async () => {
        const page = await service.internal.pullEvents({ after: position }, await service.asService('scheduler'));
        for (const event of page.events) if (event.position?.eventId === newest) readers = event.readers;
        position = page.next;
        return page;
      },
      ({ next }) => (next?.eventId ?? 0n) >= newest,
    );
    return readers;
  }
  const told = (watching: TestUser[], mentioned: TestUser[] = [], stopped: TestUser[] = []): EventReaders => ({
    watcherIds: idsOf(...watching),
    mentionedIds: idsOf(...mentioned),
    stoppedIds: idsOf(...stopped),
  });

  it('are owner and assignee by themselves, who may stop and start again', async () => {
    const task = await newTask();
    expect(await watchers(owner, task)).toEqual(idsOf(owner, assignee));
    await comment(assignee, task);
    expect(await readersOf(task)).toEqual(told([owner]));
    await stop(owner, task);
    await stop(owner, task);
    expect(await watchers(admin, task)).toEqual(idsOf(assignee));
    await comment(assignee, task);
    expect(await readersOf(task)).toEqual(told([], [], [owner]));
    await comment(owner, task);
    expect(await watchers(owner, task)).toEqual(idsOf(assignee));
    await start(owner, task);
    await service.tasks.updateTask(update(task.id, { status: TaskStatus.IN_PROGRESS }), assignee.as);
    expect(await readersOf(task)).toEqual(told([owner]));
    await service.tasks.updateTask(update(task.id, { title: 'no news' }), owner.as);
    expect(await readersOf(task)).toEqual(told([]));
  });

  it('are nobody who does not see the task, and no administrator as such', async () => {
    const task = await newTask();
    for (const call of [start(stranger, task), stop(stranger, task), watchers(stranger, task)])
      expect(await refused(call)).toEqual(taskNotFound);
    expect(await refused(start(admin, task))).toEqual({ kind: 'failed_precondition', reason: 'CANNOT_WATCH' });
    await comment(admin, task, [stranger.userId, admin.userId, assignee.userId]);
    expect(await readersOf(task)).toEqual(told([owner, assignee], [assignee]));
    await service.tasks.updateTask(update(task.id, { assigneeId: '' }), owner.as);
    await comment(admin, task, [assignee.userId]);
    expect(await readersOf(task)).toEqual(told([owner]));
  });

  it('are members of the project who chose it or wrote a comment, until they leave it', async () => {
    const task = await newProjectTask(assignee, stranger);
    expect(await watchers(stranger, task)).toEqual(idsOf(owner));
    await start(assignee, task);
    await comment(stranger, task);
    expect(await watchers(stranger, task)).toEqual(idsOf(owner, assignee, stranger));
    expect(await readersOf(task)).toEqual(told([owner, assignee]));
    await leave(task.projectId, assignee);
    await comment(owner, task, [assignee.userId, stranger.userId]);
    expect(await readersOf(task)).toEqual(told([stranger], [stranger]));
    await join(task.projectId, assignee);
    expect(await watchers(owner, task)).toEqual(idsOf(owner, stranger));
    await comment(assignee, task);
    expect(await watchers(owner, task)).toEqual(idsOf(owner, assignee, stranger));
  });

  it('of a project watch all of its tasks that they have not stopped watching, until they leave it', async () => {
    const task = await newProjectTask(assignee, stranger);
    const { projectId } = task;
    const list = async (user: TestUser) =>
      (
        await readPages((pageToken) =>
          service.projects.listProjectWatchers({ projectId, pageSize: 1, pageToken }, user.as),
        )
      ).flatMap((page) => page.watchers.map(({ userId }) => userId));
    for (const user of [owner, assignee, stranger]) await service.projects.startWatchingProject({ projectId }, user.as);
    await service.projects.startWatchingProject({ projectId }, assignee.as);
    expect(await list(stranger)).toEqual(idsOf(owner, assignee, stranger));
    expect(await watchers(owner, task)).toEqual(idsOf(owner, assignee, stranger));
    const other = await createTask(service, owner, { projectId });
    // They are told once, for whatever reasons they watch.
    await start(assignee, task);
    await comment(stranger, task, [assignee.userId]);
    expect(await readersOf(task)).toEqual(told([owner, assignee], [assignee]));
    await stop(assignee, task);
    await comment(owner, task);
    expect(await readersOf(task)).toEqual(told([stranger], [], [assignee]));
    await comment(owner, other);
    expect(await readersOf(other)).toEqual(told([assignee, stranger]));
    await leave(projectId, assignee);
    await join(projectId, assignee);
    expect(await list(owner)).toEqual(idsOf(owner, stranger));
    await service.projects.stopWatchingProject({ projectId }, stranger.as);
    await service.projects.stopWatchingProject({ projectId }, owner.as);
    await service.tasks.updateTask(update(other.id, { status: TaskStatus.IN_PROGRESS }), owner.as);
    expect(await readersOf(other)).toEqual(told([]));
    expect(await watchers(stranger, other)).toEqual(idsOf(owner));
  });

  it('of a project are its members alone', async () => {
    const { projectId } = await newProjectTask(assignee);
    for (const call of [
      service.projects.startWatchingProject({ projectId }, stranger.as),
      service.projects.stopWatchingProject({ projectId }, stranger.as),
      service.projects.listProjectWatchers({ projectId }, stranger.as),
    ])
      expect(await refused(call)).toEqual(projectNotFound);
    const asAdmin = service.projects.startWatchingProject({ projectId }, admin.as);
    expect(await refused(asAdmin)).toEqual({ kind: 'not_found', reason: 'MEMBER_NOT_FOUND' });
    const user = await service.newUser();
    await join(projectId, user);
    await service.projects.startWatchingProject({ projectId, validateOnly: true }, user.as);
    const exported = async () =>
      (await readExport(service.exports.exportMyData({}, user.as))).byType['project_watcher'] ?? [];
    expect(await exported()).toEqual([]);
    await service.projects.startWatchingProject({ projectId }, user.as);
    expect(await exported()).toMatchObject([{ projectId, userId: user.userId }]);
    const remove = async () =>
      (await service.internal.deleteUserTasks({ userId: user.userId }, await service.asService('auth'))).more;
    while (await remove());
    expect(await service.sql('select 1 from project_watchers where user_id = $1', [user.userId])).toEqual([]);
  });

  it('are told of new mentions of an edited comment only', async () => {
    const task = await newProjectTask(assignee, stranger);
    const { comment: written } = await comment(owner, task, [assignee.userId]);
    expect(await readersOf(task)).toEqual(told([], [assignee]));
    const mentionIds = [assignee.userId, stranger.userId];
    await service.comments.editComment({ commentId: written?.id ?? '', text: 'Now?', mentionIds }, owner.as);
    expect(await readersOf(task)).toEqual(told([], [stranger]));
    await service.comments.deleteComment({ commentId: written?.id ?? '' }, owner.as);
    expect(await readersOf(task)).toEqual(told([]));
  });

  it('see a comment as long as it and their access are there', async () => {
    const task = await newTask();
    const { comment: written } = await comment(owner, task);
    const commentId = written?.id ?? '';
    const check = async () => {
      const pairs = [
        [owner.userId, ''],
        [assignee.userId, commentId],
        [stranger.userId, ''],
        [admin.userId, ''],
        [owner.userId, randomUUID()],
      ] as const;
      const checks = pairs.map(([userId, id]) => ({ taskId: task.id, userId, commentId: id }));
      return (await service.internal.batchCheckReaders({ checks }, await service.asService('scheduler'))).mayRead;
    };
    expect(await check()).toEqual([true, true, false, false, false]);
    await service.comments.deleteComment({ commentId }, owner.as);
    expect(await check()).toEqual([true, false, false, false, false]);
    await service.tasks.deleteTask({ taskId: task.id }, owner.as);
    expect(await check()).toEqual([false, false, false, false, false]);
    const bad = service.internal.batchCheckReaders(
      { checks: [{ taskId: 'x', userId: '', commentId: 'y' }] },
      await service.asService('scheduler'),
    );
    expect(await invalidFields(bad)).toEqual(['checks[0].task_id', 'checks[0].user_id', 'checks[0].comment_id']);
  });

  it('are in the export of the person, and go with the person', async () => {
    const [user, task] = [await service.newUser(), await newTask()];
    await service.sql('update tasks set assignee_id = $2 where id = $1', [task.id, user.userId]);
    await stop(user, task);
    const { byType } = await readExport(service.exports.exportMyData({}, user.as));
    expect(byType['task_watcher']).toMatchObject([{ taskId: task.id, userId: user.userId }]);
    const remove = async () =>
      (await service.internal.deleteUserTasks({ userId: user.userId }, await service.asService('auth'))).more;
    while (await remove());
    expect(await service.sql('select 1 from task_watchers where user_id = $1', [user.userId])).toEqual([]);
  });
});
