import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  NotificationKind,
  Webhook,
  WebhookDeliveryState,
  WebhookMessageType,
} from '#contract/scheduler/v1/notifications';
import { CommentsServiceService } from '#contract/tasks/v1/comments';
import { ProjectRole, type Project } from '#contract/tasks/v1/projects';
import { Task, TaskStatus } from '#contract/tasks/v1/tasks';
import { waitUntil } from '#dev/cluster';
import { openStub } from '#dev/stubs';
import { answering, startReceiver, type Receiver } from '#dev/testing';
import { addMember, createProject } from '../../tasks/test/start-projects.ts';
import { startSchedulerCluster, type TestUser } from './start-cluster.ts';

const { EDITOR, VIEWER } = ProjectRole;
const { TASK_MOVED, TASK_UPDATED, TASK_CREATED } = WebhookMessageType;

const service = await startSchedulerCluster({
  env: {
    TASKFLOW_SCHEDULER_WEBHOOK_PRIVATE_TARGETS: '127.0.0.0/8',
    TASKFLOW_SCHEDULER_WEBHOOK_RETRY_MS: '200',
  },
});
const comments = openStub(CommentsServiceService, service.cluster.address('tasks'));
let receiver: Receiver;
let ada: TestUser;
let bob: TestUser;
let web: Project;
let app: Project;
afterAll(async () => {
  comments.close();
  await service.stop();
});
beforeEach(async () => {
  receiver = await startReceiver('127.0.0.1');
  [ada, bob] = await Promise.all([service.newUser('Ada'), service.newUser('Bob')]);
  [web, app] = await Promise.all([createProject(service.projects, ada), createProject(service.projects, ada)]);
});
afterEach(() => receiver.close());

async function subscribe(user: TestUser, fields: Partial<Webhook>): Promise<string> {
  const webhook = Webhook.fromPartial({ url: receiver.url, ...fields });
  return (await service.notifications.createWebhook({ webhook }, user.as)).webhook?.id ?? '';
}
const move = ({ as }: TestUser, { id: taskId }: Task, project?: Project) =>
  service.tasks.moveTask({ taskId, projectId: project?.id ?? '' }, as);
const rename = ({ id }: Task, title: string) =>
  service.tasks.updateTask({ task: Task.fromPartial({ id, title }), updateMask: ['title'] }, ada.as);
const received = () => receiver.received.map(({ message: { type, data } }) => ({ type, ...data }));
const deliveries = async (webhookId: string, user: TestUser) =>
  (await service.notifications.listWebhookDeliveries({ webhookId }, user.as)).deliveries;
const untilSettled = (webhookId: string, count: number, user = ada) =>
  waitUntil(
    () => deliveries(webhookId, user),
    (all) => all.length === count && all.every(({ state }) => state !== WebhookDeliveryState.PENDING),
  );

describe('a webhook for a task that moves', () => {
  it('is sent it once on either side, with what is seen there, in the order of the changes', async () => {
    const task = await service.createTask(ada, { title: 'in WEB', projectId: web.id });
    const ids = await Promise.all([
      subscribe(ada, { events: [TASK_MOVED, TASK_UPDATED], projectId: web.id, url: `${receiver.url}/web` }),
      subscribe(ada, { events: [TASK_MOVED, TASK_UPDATED], projectId: app.id, url: `${receiver.url}/app` }),
      subscribe(ada, { events: [TASK_MOVED], url: `${receiver.url}/own` }),
    ]);
    await rename(task, 'still in WEB');
    await move(ada, task, app);
    await rename(task, 'in APP');
    for (const [index, count] of [2, 2, 1].entries()) await untilSettled(ids[index] ?? '', count);
    const at = (path: string) =>
      receiver.received
        .filter(({ path: asked }) => asked.endsWith(path))
        .map(({ message: { type, data } }) => ({ type, ...data }) as Record<string, unknown>);
    expect(at('/web')).toMatchObject([
      { type: 'task.updated', project_id: web.id, task_version: '2', task: { title: 'still in WEB' } },
      { type: 'task.moved', project_id: web.id, removed: true, task: { title: 'still in WEB', key: 'WEB-1' } },
    ]);
    expect(at('/web')[1]).not.toHaveProperty('previous_task');
    expect(at('/app')).toMatchObject([
      { type: 'task.moved', project_id: app.id, task: { title: 'still in WEB', projectId: app.id } },
      { type: 'task.updated', project_id: app.id, task: { title: 'in APP' } },
    ]);
    expect(at('/app')[0]).not.toHaveProperty('previous_task');
    expect(at('/own')).toMatchObject([
      { type: 'task.moved', task: { projectId: app.id }, previous_task: { projectId: web.id } },
    ]);
  });

  it('that does not name it is sent an update', async () => {
    const task = await service.createTask(ada, { projectId: web.id });
    const [some, none] = [
      await subscribe(ada, { events: [TASK_UPDATED], projectId: web.id }),
      await subscribe(ada, { events: [TASK_CREATED], projectId: app.id }),
    ];
    await move(ada, task, app);
    await untilSettled(some, 1);
    await service.createTask(ada, { projectId: app.id });
    await untilSettled(none, 1);
    expect(received().map(({ type }) => type)).toEqual(['task.updated', 'task.created']);
  });

  it('is not sent it any more when its owner has left either of the projects meanwhile', async () => {
    for (const left of [web, app]) {
      for (const { id: projectId } of [web, app])
        await addMember(service.projects, ada, { projectId, userId: bob.userId, role: EDITOR }).catch(() => undefined);
      const task = await service.createTask(bob, { title: 'both sides', projectId: web.id });
      const webhookId = await subscribe(bob, { events: [TASK_MOVED] });
      receiver.behave(answering(500));
      receiver.received.length = 0;
      await move(bob, task, app);
      await waitUntil(async () => receiver.received.length > 0);
      await service.projects.removeMember({ projectId: left.id, userId: bob.userId }, ada.as);
      await waitUntil(
        () => deliveries(webhookId, bob),
        (all) => all.map(({ state }) => state).join() === WebhookDeliveryState.STALE,
      );
      await service.notifications.deleteWebhook({ webhookId }, bob.as);
    }
  });
});

describe('whoever watched a task', () => {
  it('is told nothing of it any more when it has moved to where they do not see it', async () => {
    await addMember(service.projects, ada, { projectId: web.id, userId: bob.userId, role: VIEWER });
    const task = await service.createTask(ada, { title: 'in WEB', projectId: web.id });
    await service.tasks.startWatchingTask({ taskId: task.id }, bob.as);
    await service.setStatus(ada, task.id, TaskStatus.IN_PROGRESS);
    const kinds = async () => (await service.completedInbox(bob)).map(({ kind, taskTitle }) => [kind, taskTitle]);
    expect(await kinds()).toEqual([[NotificationKind.STATUS_CHANGED, 'in WEB']]);
    await move(ada, task, app);
    await rename(task, 'secret');
    await service.setStatus(ada, task.id, TaskStatus.COMPLETED);
    await comments.addComment({ taskId: task.id, text: 'secret, too' }, ada.as);
    expect(await kinds()).toEqual([[NotificationKind.STATUS_CHANGED, 'in WEB']]);
  });
});
