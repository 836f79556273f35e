import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CommentsServiceService } from '#contract/tasks/v1/comments';
import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { ProjectRole } from '#contract/tasks/v1/projects';
import { TaskStatus, type Task } from '#contract/tasks/v1/tasks';
import { openStub, type Stub } from '#dev/stubs';
import { addMember, createProject } from '../../tasks/test/start-projects.ts';
import { startSchedulerCluster, type TestUser } from './start-cluster.ts';
import { untilInbox } from './waiting.ts';

const { COMMENTED, MENTIONED, STATUS_CHANGED, ASSIGNED } = NotificationKind;
const service = await startSchedulerCluster();
let comments: Stub<typeof CommentsServiceService>;
beforeAll(() => {
  comments = openStub(CommentsServiceService, service.cluster.address('tasks'));
});
afterAll(async () => {
  comments.close();
  await service.stop();
});

const comment = async (user: TestUser, { id: taskId }: Task, text: string, mentionIds: string[] = []) =>
  (await comments.addComment({ taskId, text, mentionIds }, user.as)).comment;
/** Newest first, as of when everything until now was delivered or dropped. */
const told = async (user: TestUser) => (await service.completedInbox(user)).map(({ kind }) => kind);

describe('a comment', () => {
  it('is told to the others who watch, and to those whom it mentions by name, each once', async () => {
    const [ada, bob, eve] = [
      await service.newUser('Ada Lovelace'),
      await service.newUser('Bob'),
      await service.newUser('Eve'),
    ];
    const task = await service.createTask(ada, { title: 'Water the plants', assigneeId: bob.userId });
    const first = await comment(bob, task, 'Which ones?');
    const [notification] = await untilInbox(service, ada, 1);
    expect(notification).toMatchObject({
      kind: COMMENTED,
      taskId: task.id,
      taskTitle: 'Water the plants',
      commentId: first?.id,
      actor: bob.userId,
    });
    const named = await comment(ada, task, 'All, @bob. @Eve knows; @Ada Lovelace, too.', [eve.userId]);
    expect(named?.mentionIds).toEqual([ada.userId, bob.userId, eve.userId].toSorted());
    await untilInbox(service, bob, ({ kind }) => kind === MENTIONED);
    expect(await told(ada)).toEqual([COMMENTED]);
    expect(await told(bob)).toEqual([MENTIONED, ASSIGNED]);
    // She does not see the task.
    expect(await told(eve)).toEqual([]);
  });

  it('is not told to those who have stopped watching, but for what mentions them', async () => {
    const [ada, bob] = [await service.newUser('Ada'), await service.newUser('Bob')];
    const task = await service.createTask(ada, { assigneeId: bob.userId });
    await service.tasks.stopWatchingTask({ taskId: task.id }, ada.as);
    await comment(bob, task, 'Nobody reads this.');
    await service.setStatus(bob, task.id, TaskStatus.IN_PROGRESS);
    await comment(bob, task, 'But this: @Ada');
    expect(await told(ada)).toEqual([MENTIONED]);
    await service.tasks.startWatchingTask({ taskId: task.id }, ada.as);
    await service.setStatus(bob, task.id, TaskStatus.COMPLETED);
    await untilInbox(service, ada, ({ kind }) => kind === STATUS_CHANGED);
  });

  it('is told to members who watch the project, once for whatever reasons, until they leave', async () => {
    const [ada, bob] = [await service.newUser('Ada'), await service.newUser('Bob')];
    const { id: projectId } = await createProject(service.projects, ada);
    await addMember(service.projects, ada, { projectId, userId: bob.userId, role: ProjectRole.COMMENTER });
    await service.projects.startWatchingProject({ projectId }, bob.as);
    const task = await service.createTask(ada, { projectId });
    await service.setStatus(ada, task.id, TaskStatus.IN_PROGRESS);
    await comment(bob, task, 'So I watch it twice.');
    await comment(ada, task, 'Then you hear of this once.');
    expect(await told(bob)).toEqual([COMMENTED, STATUS_CHANGED]);
    await service.projects.leaveProject({ projectId }, bob.as);
    await comment(ada, task, 'And of this not at all.');
    expect(await told(bob)).toEqual([COMMENTED, STATUS_CHANGED]);
  });

  it('is told once, however often the scheduler is killed, and not when it was deleted before', async () => {
    const [ada, bob] = [await service.newUser('Ada'), await service.newUser('Bob')];
    const task = await service.createTask(ada, { assigneeId: bob.userId });
    await service.cluster.kill('scheduler', 'SIGKILL');
    const [, gone] = [await comment(bob, task, 'one'), await comment(bob, task, 'two @Ada')];
    await comments.deleteComment({ commentId: gone?.id ?? '' }, bob.as);
    await service.cluster.start('scheduler');
    await untilInbox(service, ada, 1);
    await comment(bob, task, 'three');
    await service.cluster.kill('scheduler', 'SIGKILL');
    await service.cluster.start('scheduler');
    await untilInbox(service, ada, 2);
    expect(await told(ada)).toEqual([COMMENTED, COMMENTED]);
    expect(await told(bob)).toEqual([ASSIGNED]);
  });
});
