import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthServiceService, Role } from '#contract/auth/v1/auth';
import { Scope } from '#contract/policy/v1/policy';
import { NotificationsServiceService, Webhook } from '#contract/scheduler/v1/notifications';
import { Task, TasksServiceService, TaskStatus } from '#contract/tasks/v1/tasks';
import { NotificationChannel, User, UsersServiceService } from '#contract/users/v1/users';
import { queryDatabase, waitUntil } from '#dev/cluster';
import { kindAndReason } from '#dev/testing';
import { openStub, retry } from '#dev/stubs';
import { newEmail, startTestCluster, type TestCluster } from './test-cluster.ts';
import { findInDatabases, findInRedis, letGraceRunOut, untilRemoved } from './traces-of-people.ts';

let testCluster: TestCluster;
const clientsOf = ({ cluster }: TestCluster) => ({
  auth: openStub(AuthServiceService, cluster.address('auth')),
  users: openStub(UsersServiceService, cluster.address('users')),
  tasks: openStub(TasksServiceService, cluster.address('tasks')),
  notifications: openStub(NotificationsServiceService, cluster.address('scheduler')),
});
let clients: ReturnType<typeof clientsOf>;
beforeAll(async () => {
  testCluster = await startTestCluster({ env: { TASKFLOW_RATE_LIMITS: '{"*":"unlimited"}' } });
  clients = clientsOf(testCluster);
}, 120_000);
afterAll(async () => {
  for (const client of Object.values(clients ?? {})) client.close();
  await testCluster?.stop();
});

const word = (): string => `q${randomBytes(6).toString('hex')}`;

interface Somebody {
  id: string;
  email: string;
  name: string;
  password: string;
  as: { token: string };
}

const asAdmin = () => ({ token: testCluster.admin.token });

/** Invited, then made by an administrator, under request ids, and known to every service. */
async function newSomebody(): Promise<Somebody> {
  const [email, name, password] = [`${word()}@example.com`, `Zelda ${word()}`, `K${word()}${word()}`];
  const request = { email, displayName: name, role: Role.USER, password, requestId: randomUUID() };
  await clients.auth.inviteUser({ email, requestId: randomUUID() }, asAdmin());
  await clients.auth.createAccount(request, asAdmin());
  const { account, tokens } = await clients.auth.login({ email, password });
  const as = { token: tokens?.accessToken ?? '' };
  await retry(() => clients.users.getMe({}, as));
  return { id: account?.id ?? '', email, name, password, as };
}

const createTask = async ({ as }: Somebody, fields: Partial<Task>): Promise<Task> => {
  const request = { task: Task.fromPartial({ title: 'Water the plants', ...fields }), requestId: randomUUID() };
  return (await clients.tasks.createTask(request, as)).task as Task;
};
const setStatus = ({ as }: Somebody, id: string, status: TaskStatus) =>
  clients.tasks.updateTask(
    { task: Task.fromPartial({ id, status }), updateMask: ['status'], requestId: randomUUID() },
    as,
  );
const rows = <Row>(service: 'auth' | 'tasks' | 'scheduler' | 'users', text: string, ...values: unknown[]) =>
  queryDatabase<Row>(testCluster.cluster.databaseUrl(service), text, values);

/** The friend's inbox and webhook are told of two tasks of the person, one of which is overdue. */
async function tellFriend(person: Somebody, friend: Somebody): Promise<{ given: Task; titles: string[] }> {
  const { users, notifications } = clients;
  const webhook = Webhook.fromPartial({ url: 'https://hooks.invalid/hook' });
  const { webhook: made } = await notifications.createWebhook({ webhook }, friend.as);
  const channels = [NotificationChannel.INBOX, NotificationChannel.WEBHOOK];
  await users.updateUser({ user: User.fromPartial({ id: friend.id, channels }), updateMask: ['channels'] }, friend.as);
  const titles = [`Pay ${word()}`, `Sell ${word()}`];
  const [given] = await Promise.all(
    titles.map((title, index) =>
      createTask(person, {
        title,
        assigneeId: friend.id,
        ...(index === 1 && { due: { $case: 'dueTime', value: new Date(Date.now() - 60_000) } }),
      }),
    ),
  );
  // Two assignments, which nobody takes, and behind one of them what is overdue.
  const sent = 'select body from webhook_deliveries where webhook_id = $1';
  await waitUntil(
    () => rows<{ body: string | null }>('scheduler', sent, made?.id),
    (found) => found.length === 3 && found.filter(({ body }) => body !== null).length === 2,
  );
  return { given: given as Task, titles };
}

/** The friend invites the person to a project, and the person invites somebody. */
async function leaveInvitations(person: Somebody, friend: Somebody): Promise<void> {
  for (const [inviter, email] of [[friend, person.email] as const, [person, newEmail()] as const])
    await testCluster.inviteToProject({ ...inviter, token: inviter.as.token, refreshToken: '' }, email);
}

/** What is left of invitations that the person made. */
async function invitationsOf({ id }: Somebody): Promise<unknown[]> {
  const left = await Promise.all([
    rows('tasks', 'select id from project_invitations where inviter_id = $1', id),
    rows('auth', 'select id from project_invitees where inviter_id = $1', id),
  ]);
  return left.flat();
}

/** Whatever holds the e-mail or the name of a person somewhere, or a title that is theirs. */
async function leaveTraces(person: Somebody, friend: Somebody): Promise<{ given: Task; got: Task; titles: string[] }> {
  const { auth, users, tasks, notifications } = clients;
  const { given, titles } = await tellFriend(person, friend);
  await leaveInvitations(person, friend);
  const got = await createTask(friend, { assigneeId: person.id });
  await createTask(person, { title: `Call ${person.name}`, labels: [person.name] });
  const trashed = await createTask(person, { title: `Ask ${person.name}` });
  await tasks.deleteTask({ taskId: trashed.id }, person.as);
  await setStatus(friend, given.id, TaskStatus.IN_PROGRESS);
  await setStatus(person, got.id, TaskStatus.IN_PROGRESS);
  const user = User.fromPartial({ id: person.id, locale: 'en-GB' });
  await users.updateUser({ user, updateMask: ['locale'], requestId: randomUUID() }, asAdmin());
  const webhook = Webhook.fromPartial({ url: 'https://hooks.invalid/hook', description: person.name });
  const { webhook: made } = await notifications.createWebhook({ webhook, requestId: randomUUID() }, person.as);
  await notifications.testWebhook({ webhookId: made?.id ?? '' }, person.as);
  const ttl = { seconds: 3600n, nanos: 0 };
  await auth.createPersonalToken({ name: person.name, scopes: [Scope.TASKS_READ], ttl }, person.as);
  await auth.requestEmailVerification({ email: person.email });
  await auth.changeEmail({ currentPassword: person.password, newEmail: `new-${person.email}` }, person.as);
  await waitUntil(
    () => rows('scheduler', 'select 1 from notifications where recipient_id = $1', person.id),
    (found) => found.length > 0,
  );
  return { given, got, titles };
}

describe('B6: a deleted account', () => {
  it('leaves its e-mail and name nowhere, and its tasks vanish from the lists of others', async () => {
    const [person, friend] = [await newSomebody(), await newSomebody()];
    const { given, got, titles } = await leaveTraces(person, friend);
    const words = [person.email, person.name, ...titles];
    for (const wanted of words) expect(await findInDatabases(testCluster.cluster, [wanted])).not.toEqual([]);
    expect(await findInRedis(testCluster.cluster, words)).not.toEqual([]);
    expect(await invitationsOf(person)).toHaveLength(2);
    const { nextSyncToken: syncToken } = await clients.tasks.syncTasks({}, friend.as);

    await clients.auth.deleteAccount({ currentPassword: person.password, requestId: randomUUID() }, person.as);
    await waitUntil(
      () => kindAndReason(clients.tasks.listTasks({}, person.as).then(() => Promise.reject(new Error('not ended')))),
      (outcome) => outcome === 'unauthenticated/TOKEN_INVALID',
    );
    await letGraceRunOut(testCluster.cluster, person.id);
    await untilRemoved(testCluster.cluster, person.id);

    expect(await findInDatabases(testCluster.cluster, words.slice(0, 2))).toEqual([]);
    expect(await invitationsOf(person)).toEqual([]);
    // The scheduler reads of the removed tasks in the log.
    await waitUntil(
      () => findInDatabases(testCluster.cluster, titles),
      (found) => found.length === 0,
    );
    const { notifications: told } = await clients.notifications.listNotifications({}, friend.as);
    expect(told.map(({ taskId, taskTitle }) => (taskId === got.id ? 'own' : taskTitle))).toEqual(['own', '', '', '']);
    expect(await findInRedis(testCluster.cluster, words)).toEqual([]);
    const synced = await clients.tasks.syncTasks({ syncToken }, friend.as);
    expect(synced.removedTaskIds).toContain(given.id);
    expect(synced.tasks.map(({ id, assigneeId }) => ({ id, assigneeId }))).toEqual([{ id: got.id, assigneeId: '' }]);
    expect((await clients.tasks.getTaskStats({}, friend.as)).stats?.totalCount).toBe(1n);
    const { events } = await clients.tasks.listTaskEvents({ taskId: got.id }, friend.as);
    expect(events.map(({ actor }) => actor)).toEqual([friend.id, person.id, 'service:auth']);
    for (const table of ['tasks', 'task_due'])
      expect(await rows('tasks', `select 1 from ${table} where owner_id = $1`, person.id)).toEqual([]);
    for (const [column, table] of [
      ['recipient_id', 'notifications'],
      ['owner_id', 'webhooks'],
      ['recipient_id', 'mails'],
    ])
      expect(await rows('scheduler', `select 1 from ${table} where ${column} = $1`, person.id)).toEqual([]);
    expect(await kindAndReason(clients.auth.login(person))).toBe('unauthenticated/CREDENTIALS_INVALID');
    expect(await kindAndReason(clients.auth.undeleteAccount({ accountId: person.id }, asAdmin()))).toBe(
      'not_found/USER_NOT_FOUND',
    );
    expect(await kindAndReason(clients.users.getUser({ userId: person.id }, asAdmin()))).toBe(
      'not_found/USER_NOT_FOUND',
    );
    await clients.auth.register({ email: person.email, password: person.password, displayName: 'Zelda' });
  }, 400_000);

  it('can assign nothing, is assigned nothing and notifies nobody while it waits, and comes back as it was', async () => {
    const [person, friend] = [await newSomebody(), await newSomebody()];
    const task = await createTask(person, { assigneeId: friend.id });
    const { token } = await clients.auth.createPersonalToken(
      { name: 'backup', scopes: [Scope.TASKS_READ], ttl: { seconds: 3600n, nanos: 0 } },
      person.as,
    );
    await clients.tasks.getTask({ taskId: task.id }, { token });
    const webhook = Webhook.fromPartial({ url: 'https://hooks.invalid/hook' });
    await clients.notifications.createWebhook({ webhook }, person.as);
    const channels = [NotificationChannel.INBOX, NotificationChannel.WEBHOOK];
    const user = User.fromPartial({ id: person.id, channels });
    await clients.users.updateUser({ user, updateMask: ['channels'] }, person.as);
    await clients.auth.deleteAccount({ currentPassword: person.password }, person.as);
    const refusedWith = (call: () => Promise<unknown>, expected: string) =>
      waitUntil(
        () => kindAndReason(call().then(() => Promise.reject(new Error('not refused')))),
        (outcome) => outcome === expected,
      );
    await refusedWith(() => clients.tasks.getTask({ taskId: task.id }, { token }), 'unauthenticated/TOKEN_INVALID');
    await refusedWith(() => createTask(friend, { assigneeId: person.id }), 'failed_precondition/ASSIGNEE_NOT_FOUND');
    const { users } = await clients.users.listUsers({ query: person.email }, asAdmin());
    expect(users).toMatchObject([{ id: person.id, enabled: false, purgeTime: expect.any(Date) }]);
    await setStatus(friend, task.id, TaskStatus.IN_PROGRESS);
    const told = `select id from notifications where recipient_id = $1 and task_id = $2 and state <> 'pending'`;
    await waitUntil(
      () => rows('scheduler', told, person.id, task.id),
      (found) => found.length === 1,
    );
    const sent = `select 1 from webhook_deliveries where notification_id in (${told})`;
    expect(await rows('scheduler', sent, person.id, task.id)).toEqual([]);
    await clients.auth.reclaimAccount(person);
    const { tokens } = await clients.auth.login(person);
    const { task: kept } = await clients.tasks.getTask({ taskId: task.id }, { token: tokens?.accessToken ?? '' });
    expect(kept).toMatchObject({ ownerName: person.name, assigneeId: friend.id });
    await waitUntil(
      () => clients.tasks.getTask({ taskId: task.id }, { token }).catch(() => undefined),
      (answer) => answer !== undefined,
    );
  }, 400_000);
});
