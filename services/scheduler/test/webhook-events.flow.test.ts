import { randomUUID } from 'node:crypto';
import { CommentsServiceService } from '#contract/tasks/v1/comments';
import { Webhook, WebhookDeliveryState, WebhookMessageType, WebhookState } from '#contract/scheduler/v1/notifications';
import { Project, ProjectRole } from '#contract/tasks/v1/projects';
import { Task, TaskStatus } from '#contract/tasks/v1/tasks';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { toColumnName } from '#libs/db';
import { waitUntil } from '#dev/cluster';
import { openStub, retry } from '#dev/stubs';
import { answering, queryOnce, startReceiver, verify, type Receiver } from '#dev/testing';
import { addMember, byId, createProject } from '../../tasks/test/start-projects.ts';
import { startSchedulerCluster, type TestUser } from './start-cluster.ts';

type Received = Receiver['received'][number];

let receiver: Receiver;
let ada: TestUser;
let bob: TestUser;
const service = await startSchedulerCluster({
  env: {
    TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000',
    TASKFLOW_SCHEDULER_WEBHOOK_PRIVATE_TARGETS: '127.0.0.0/8',
    TASKFLOW_SCHEDULER_WEBHOOK_RETRY_MS: '200',
  },
});
const comments = openStub(CommentsServiceService, service.cluster.address('tasks'));
afterAll(async () => {
  comments.close();
  await service.stop();
});
beforeEach(async () => {
  receiver = await startReceiver('127.0.0.1');
  [ada, bob] = await Promise.all([service.newUser('Ada'), service.newUser('Bob')]);
});
afterEach(() => receiver.close());

const allOfTasks = [
  WebhookMessageType.TASK_CREATED,
  WebhookMessageType.TASK_UPDATED,
  WebhookMessageType.TASK_COMPLETED,
  WebhookMessageType.TASK_DELETED,
  WebhookMessageType.TASK_UNDELETED,
];
const allOfComments = [
  WebhookMessageType.COMMENT_ADDED,
  WebhookMessageType.COMMENT_EDITED,
  WebhookMessageType.COMMENT_DELETED,
];
const allOfMembers = [
  WebhookMessageType.MEMBER_ADDED,
  WebhookMessageType.MEMBER_UPDATED,
  WebhookMessageType.MEMBER_REMOVED,
];

async function subscribe(user: TestUser, fields: Partial<Webhook>): Promise<{ webhookId: string; secret: string }> {
  const request = { webhook: Webhook.fromPartial({ url: receiver.url, ...fields }), requestId: randomUUID() };
  const created = await retry(() => service.notifications.createWebhook(request, user.as));
  return { webhookId: created.webhook?.id ?? '', secret: created.secret };
}

const update = (user: TestUser, id: string, fields: Partial<Task>) =>
  service.tasks.updateTask(
    { task: Task.fromPartial({ id, ...fields }), updateMask: Object.keys(fields).map(toColumnName) },
    user.as,
  );
const comment = async (user: TestUser, taskId: string, text: string): Promise<string> =>
  (await comments.addComment({ taskId, text }, user.as)).comment?.id ?? '';
const typesOf = (received: readonly Received[]) => received.map(({ message }) => message.type);
const arrived = (count: number): Promise<Received[]> =>
  waitUntil(
    async () => receiver.received,
    (all) => all.length >= count,
  );
const about = (taskId: string) => receiver.received.filter(({ message }) => message.data['task_id'] === taskId);
const versionsOf = (received: readonly Received[]) => received.map(({ message }) => message.data['task_version']);
const deliveries = async (webhookId: string, user = ada) =>
  (await service.notifications.listWebhookDeliveries({ webhookId }, user.as)).deliveries;
const untilDelivered = (webhookId: string, count: number) =>
  waitUntil(
    () => deliveries(webhookId),
    (all) => all.filter(({ state }) => state === WebhookDeliveryState.DELIVERED).length === count,
  );
const webhookNow = async (webhookId: string) => (await service.notifications.getWebhook({ webhookId }, ada.as)).webhook;

describe('a webhook for what happens to a person’s tasks', () => {
  it('is sent every change once, in its order, with the task as JSON of the contract', async () => {
    const { webhookId, secret } = await subscribe(ada, { events: allOfTasks });
    const task = await service.createTask(ada, { title: 'Paint the fence' });
    await update(ada, task.id, { title: 'Paint the door' });
    await service.setStatus(ada, task.id, TaskStatus.COMPLETED);
    await service.tasks.deleteTask({ taskId: task.id }, ada.as);
    await service.tasks.undeleteTask({ taskId: task.id }, ada.as);
    const received = await arrived(5);
    expect(typesOf(received)).toEqual([
      'task.created',
      'task.updated',
      'task.completed',
      'task.deleted',
      'task.undeleted',
    ]);
    expect(versionsOf(received)).toEqual(['1', '2', '3', '4', '5']);
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(5);
    const [, updated] = received;
    if (updated === undefined) throw new Error('nothing came');
    verify(updated, secret);
    expect(updated.message.data).toMatchObject({
      actor: ada.userId,
      task_id: task.id,
      task: { id: task.id, title: 'Paint the door', status: 'TASK_STATUS_PENDING', ownerId: ada.userId },
      previous_task: { title: 'Paint the fence' },
    });
    expect((await deliveries(webhookId)).map(({ type }) => type)).toEqual([
      WebhookMessageType.TASK_UNDELETED,
      WebhookMessageType.TASK_DELETED,
      WebhookMessageType.TASK_COMPLETED,
      WebhookMessageType.TASK_UPDATED,
      WebhookMessageType.TASK_CREATED,
    ]);
  });

  it('is sent only the types that it names, a completed task as updated when it does not name completed', async () => {
    const { webhookId } = await subscribe(ada, { events: [WebhookMessageType.TASK_UPDATED] });
    const task = await service.createTask(ada);
    await service.setStatus(ada, task.id, TaskStatus.COMPLETED);
    await arrived(1);
    await service.notifications.updateWebhook(
      {
        webhook: Webhook.fromPartial({ id: webhookId, events: [WebhookMessageType.TASK_DELETED] }),
        updateMask: ['events'],
      },
      ada.as,
    );
    await update(ada, task.id, { title: 'of no interest any more' });
    await service.tasks.deleteTask({ taskId: task.id }, ada.as);
    expect(typesOf(await arrived(2))).toEqual(['task.updated', 'task.deleted']);
  });

  it('is sent what others do, and that a task passed to somebody else, without what became of it', async () => {
    await subscribe(bob, { events: allOfTasks });
    const task = await service.createTask(ada, { title: 'Paint the fence', assigneeId: bob.userId });
    await update(ada, task.id, { title: 'not for Bob', assigneeId: ada.userId });
    await update(ada, task.id, { title: 'for nobody else' });
    await service.createTask(ada, { title: 'the last', assigneeId: bob.userId });
    const received = await arrived(3);
    // Messages about different tasks are in no order.
    expect(received.map(({ message: { type, data } }) => [type, data['removed'] === true].join()).sort()).toEqual([
      'task.created,false',
      'task.created,false',
      'task.updated,true',
    ]);
    expect(JSON.stringify(received)).not.toContain('not for Bob');
  });

  it('is sent its comments between its changes, each with the text that was written', async () => {
    const { webhookId } = await subscribe(ada, { events: [...allOfTasks, ...allOfComments] });
    const task = await service.createTask(ada, { assigneeId: bob.userId });
    const commentId = await comment(bob, task.id, 'Which colour?');
    await untilDelivered(webhookId, 2);
    await update(ada, task.id, { title: 'Paint it green' });
    await comments.editComment({ commentId, text: 'Which green?' }, bob.as);
    await untilDelivered(webhookId, 4);
    await comments.deleteComment({ commentId }, bob.as);
    const told = (await arrived(5)).map(({ message: { type, data } }) => [type, data['comment']]);
    const common = { id: commentId, taskId: task.id, authorId: bob.userId };
    expect(told).toEqual([
      ['task.created', undefined],
      ['comment.added', expect.objectContaining({ ...common, text: 'Which colour?' })],
      ['task.updated', undefined],
      ['comment.edited', expect.objectContaining({ ...common, text: 'Which green?' })],
      ['comment.deleted', expect.not.objectContaining({ text: 'Which green?' })],
    ]);
    const kept = 'select 1 from webhook_deliveries where webhook_id = $1 and body like $2';
    await waitUntil(() => service.sql(kept, [webhookId, '%Which%']), { length: 0 });
  });

  it('is not sent the text of a comment that was deleted while the message waited', async () => {
    const { webhookId } = await subscribe(ada, { events: allOfComments });
    const task = await service.createTask(ada, { assigneeId: bob.userId });
    receiver.behave(answering(500));
    const commentId = await comment(bob, task.id, 'Of no use to anybody');
    await arrived(1);
    await comments.deleteComment({ commentId }, bob.as);
    const waiting = 'select body from webhook_deliveries where webhook_id = $1';
    const erased = await waitUntil(
      () => service.sql<{ body: string }>(waiting, [webhookId]),
      (rows) => rows.length === 2 && rows.every(({ body }) => !body.includes('Of no use')),
    );
    expect(erased.every(({ body }) => body.includes(commentId))).toBe(true);
    receiver.received.length = 0;
    receiver.behave(answering(204));
    await untilDelivered(webhookId, 2);
    expect(typesOf(receiver.received).slice(-2)).toEqual(['comment.added', 'comment.deleted']);
    expect(receiver.received.at(-2)?.message.data['comment']).not.toHaveProperty('text');
  });

  it('holds back only the later changes of a task whose message fails, and repeats it under the same id', async () => {
    const { webhookId } = await subscribe(ada, { events: allOfTasks });
    const [bad, good] = [await service.createTask(ada), await service.createTask(ada)];
    await untilDelivered(webhookId, 2);
    receiver.behave((answer, { message }) =>
      answering(message.data['task_id'] === bad.id ? 500 : 204)(answer, {} as never),
    );
    receiver.received.length = 0;
    await update(ada, bad.id, { title: 'fails' });
    await update(ada, bad.id, { title: 'waits' });
    await waitUntil(async () => about(bad.id).length >= 2);
    await update(ada, good.id, { title: 'arrives' });
    await waitUntil(async () => about(good.id).length === 1);
    receiver.behave(answering(204));
    await untilDelivered(webhookId, 5);
    const ofBad = about(bad.id);
    expect(new Set(versionsOf(ofBad))).toEqual(new Set(['2', '3']));
    expect(versionsOf(ofBad)).toEqual([...versionsOf(ofBad)].sort());
    expect(new Set(ofBad.map(({ headers }) => headers['webhook-id'])).size).toBe(2);
  });

  it('goes on where it ended after every process of the scheduler was killed', async () => {
    const { webhookId } = await subscribe(ada, { events: allOfTasks });
    // The endpoint never answers, so that the process dies in the middle of an attempt.
    receiver.behave(() => undefined);
    const task = await service.createTask(ada);
    await arrived(1);
    await update(ada, task.id, { title: 'before the end' });
    await service.cluster.kill('scheduler', 'SIGKILL');
    await update(ada, task.id, { title: 'while nothing runs' });
    receiver.behave(answering(204));
    await service.cluster.start('scheduler');
    await untilDelivered(webhookId, 3);
    const versions = versionsOf(about(task.id));
    expect(versions.length).toBeGreaterThan(3);
    expect(versions.filter((version, index) => version !== versions[index - 1])).toEqual(['1', '2', '3']);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(3);
  });

  it('is sent again from a delivery, or a time, on, under the ids of before', async () => {
    const { webhookId } = await subscribe(ada, { events: allOfTasks });
    const task = await service.createTask(ada);
    await update(ada, task.id, { title: 'second' });
    await update(ada, task.id, { title: 'third' });
    const before = await untilDelivered(webhookId, 3);
    const second = before.find(({ taskVersion }) => taskVersion === 2n)?.id ?? '';
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
    receiver.received.length = 0;
    const request = { webhookId, start: { $case: 'deliveryId', value: second } as const, requestId: randomUUID() };
    await service.notifications.replayWebhook({ ...request, validateOnly: true }, ada.as);
    expect(await deliveries(webhookId)).toHaveLength(3);
    // The repeated call has no second effect.
    for (const repeated of [request, request]) await service.notifications.replayWebhook(repeated, ada.as);
    expect(versionsOf(await arrived(2))).toEqual(['2', '3']);
    expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual(ids.slice(1));
    const startTime = new Date(Date.now() - 60_000);
    await service.notifications.replayWebhook({ webhookId, start: { $case: 'startTime', value: startTime } }, ada.as);
    expect(versionsOf((await arrived(5)).slice(2))).toEqual(['1', '2', '3']);
    expect(await deliveries(webhookId)).toHaveLength(8);
    const old = { $case: 'startTime', value: new Date(Date.now() - 8 * 86_400_000) } as const;
    const tooOld = service.notifications.replayWebhook({ webhookId, start: old }, ada.as);
    await expect(tooOld).rejects.toMatchObject({ reason: 'REPLAY_TOO_OLD' });
    await service.notifications.deleteWebhook({ webhookId }, ada.as);
    await service.cluster.kill('tasks', 'SIGKILL');
    await service.notifications.replayWebhook(request, ada.as);
    await service.cluster.start('tasks');
  });

  it('that was disabled goes on, once it is enabled, with what waited and what happened meanwhile', async () => {
    const { webhookId } = await subscribe(ada, { events: allOfTasks });
    const task = await service.createTask(ada);
    await untilDelivered(webhookId, 1);
    receiver.behave(answering(410));
    await update(ada, task.id, { title: 'second' });
    await waitUntil(async () => (await webhookNow(webhookId))?.state === WebhookState.DISABLED);
    await update(ada, task.id, { title: 'third' });
    receiver.behave(answering(204));
    await service.notifications.enableWebhook({ webhookId }, ada.as);
    await untilDelivered(webhookId, 3);
    expect(versionsOf(about(task.id))).toEqual(['1', '2', '2', '3']);
  });

  it('is told when tasks were put back to an older state, and goes on with what happens then', async () => {
    const { webhookId } = await subscribe(ada, { events: allOfTasks });
    const task = await service.createTask(ada);
    await untilDelivered(webhookId, 1);
    const tasks = service.cluster.databaseUrl('tasks');
    const [last] = await queryOnce<{ id: string }>(tasks, 'select max(id) as id from events', []);
    await update(ada, task.id, { title: 'lost' });
    await untilDelivered(webhookId, 2);
    const lost = [last?.id];
    await queryOnce(tasks, 'delete from event_audience where event_id > $1', lost);
    await queryOnce(tasks, 'delete from events where id > $1', lost);
    await update(ada, task.id, { title: 'new' });
    await untilDelivered(webhookId, 4);
    expect(typesOf(receiver.received)).toEqual(['task.created', 'task.updated', 'log.restored', 'task.updated']);
    expect(about(task.id).at(-1)?.message.data['task']).toMatchObject({ title: 'new' });
  });
});

describe('a webhook for a project', () => {
  const someProject = async () => (await createProject(service.projects, ada)).id;

  it('is sent what happens to the project and its members', async () => {
    const projectId = await someProject();
    const events = [WebhookMessageType.PROJECT_UPDATED, ...allOfMembers];
    await subscribe(ada, { events, projectId });
    await addMember(service.projects, ada, { projectId, userId: bob.userId });
    await service.projects.setMemberRole({ projectId, userId: bob.userId, role: ProjectRole.EDITOR }, ada.as);
    await service.projects.updateProject(
      { project: Project.fromPartial({ id: projectId, name: 'Shop' }), updateMask: ['name'] },
      ada.as,
    );
    await service.projects.removeMember({ projectId, userId: bob.userId }, ada.as);
    const received = await arrived(4);
    expect(typesOf(received).sort()).toEqual(['member.added', 'member.removed', 'member.updated', 'project.updated']);
    expect(received.find(({ message }) => message.type === 'member.updated')?.message.data).toMatchObject({
      project_id: projectId,
      user_id: bob.userId,
      member: { role: 'PROJECT_ROLE_EDITOR' },
      previous_member: { role: 'PROJECT_ROLE_VIEWER' },
    });
    expect(received.find(({ message }) => message.type === 'project.updated')?.message.data).toMatchObject({
      project: { name: 'Shop' },
      previous_project: { name: 'Website' },
    });
  });

  it('is sent what members do with its tasks, and nothing of other tasks', async () => {
    const projectId = await someProject();
    await addMember(service.projects, ada, { projectId, userId: bob.userId, role: ProjectRole.EDITOR });
    const { webhookId } = await subscribe(ada, { events: [...allOfTasks, ...allOfComments], projectId });
    await service.createTask(ada, { title: 'private' });
    const task = await service.createTask(bob, { title: 'Paint the fence', projectId });
    await update(bob, task.id, { title: 'Paint the door' });
    await comment(bob, task.id, 'Done soon');
    await service.setStatus(bob, task.id, TaskStatus.COMPLETED);
    await untilDelivered(webhookId, 4);
    const told = receiver.received.map(({ message: { type, data } }) => [type, data['project_id'], data['actor']]);
    expect(told).toEqual(
      ['task.created', 'task.updated', 'comment.added', 'task.completed'].map((type) => [type, projectId, bob.userId]),
    );
    expect(about(task.id)).toHaveLength(4);
  });

  it('is for its managers alone', async () => {
    const projectId = await someProject();
    const events = allOfMembers;
    await expect(subscribe(bob, { events, projectId })).rejects.toMatchObject({ reason: 'PROJECT_NOT_FOUND' });
    await addMember(service.projects, ada, { projectId, userId: bob.userId, role: ProjectRole.EDITOR });
    await expect(subscribe(bob, { events, projectId })).rejects.toMatchObject({ reason: 'ROLE_REQUIRED' });
  });

  it('is disabled when its owner is no manager any more, and nothing of what waits is sent', async () => {
    const projectId = await someProject();
    const { webhookId } = await subscribe(ada, { events: [...allOfTasks, ...allOfMembers], projectId });
    receiver.behave(answering(500));
    await addMember(service.projects, ada, { projectId, userId: bob.userId, role: ProjectRole.MANAGER });
    const task = await service.createTask(bob, { projectId });
    await waitUntil(async () => about(task.id).length > 0);
    await update(bob, task.id, { title: 'waits behind its creation' });
    await service.projects.setMemberRole({ projectId, userId: ada.userId, role: ProjectRole.VIEWER }, bob.as);
    const disabled = await waitUntil(
      () => webhookNow(webhookId),
      (webhook) => webhook?.state === WebhookState.DISABLED,
    );
    expect(disabled?.disableReason).toBe('its owner does not manage the project any more');
    expect((await deliveries(webhookId)).every(({ state }) => state === WebhookDeliveryState.DEAD)).toBe(true);
    expect(receiver.received.map(({ message }) => message.data['user_id'])).not.toContain(ada.userId);
    expect(typesOf(receiver.received)).not.toContain('task.updated');
  });

  it('a person’s own is sent nothing of its tasks when the person has left it, neither what waits nor what follows', async () => {
    const projectId = await someProject();
    await addMember(service.projects, ada, { projectId, userId: bob.userId });
    const { webhookId } = await subscribe(bob, { events: [...allOfTasks, ...allOfComments] });
    receiver.behave(answering(500));
    const task = await service.createTask(ada, { projectId, assigneeId: bob.userId });
    await arrived(1);
    await update(ada, task.id, { title: 'waits' });
    await service.projects.leaveProject({ projectId }, bob.as);
    await update(ada, task.id, { title: 'follows' });
    await comment(ada, task.id, 'follows, too');
    receiver.received.length = 0;
    receiver.behave(answering(204));
    const own = await service.createTask(bob);
    await waitUntil(
      () => deliveries(webhookId, bob),
      (all) =>
        all.some(({ taskId, state }) => taskId === own.id && state === WebhookDeliveryState.DELIVERED) &&
        all.every(({ state }) => state !== WebhookDeliveryState.PENDING),
    );
    expect(about(task.id)).toEqual([]);
    const ofTask = (await deliveries(webhookId, bob)).filter(({ taskId }) => taskId === task.id);
    expect(new Set(ofTask.map(({ state }) => state))).toEqual(new Set([WebhookDeliveryState.STALE]));
  });

  it('a person’s own tells them of their memberships, also that they ended', async () => {
    await subscribe(bob, { events: allOfMembers });
    const projectId = await someProject();
    await service.projects.addMember({ projectId, person: byId(bob.userId), role: ProjectRole.VIEWER }, ada.as);
    await service.projects.removeMember({ projectId, userId: bob.userId }, ada.as);
    expect(typesOf(await arrived(2))).toEqual(['member.added', 'member.removed']);
  });
});
