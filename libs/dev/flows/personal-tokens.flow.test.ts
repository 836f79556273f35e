import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthServiceService, Role } from '#contract/auth/v1/auth';
import { Scope } from '#contract/policy/v1/policy';
import { BreakersServiceService } from '#contract/resilience/v1/resilience';
import { NotificationsServiceService } from '#contract/scheduler/v1/notifications';
import type { ListTaskEventsResponse } from '#contract/tasks/v1/tasks';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { UsersServiceService } from '#contract/users/v1/users';
import { waitUntil } from '#dev/cluster';
import { refusal } from '#dev/testing';
import { openStub, type Stub } from '#dev/stubs';
import { startTestCluster, type Person, type TestCluster } from './test-cluster.ts';
import { untilOutcome } from './wire.ts';

let testCluster: TestCluster;
let auth: Stub<typeof AuthServiceService>;
let users: Stub<typeof UsersServiceService>;
let tasks: Stub<typeof TasksServiceService>;
let notifications: Stub<typeof NotificationsServiceService>;
let breakers: Stub<typeof BreakersServiceService>;

beforeAll(async () => {
  testCluster = await startTestCluster();
  const { cluster } = testCluster;
  auth = openStub(AuthServiceService, cluster.address('auth'));
  users = openStub(UsersServiceService, cluster.address('users'));
  tasks = openStub(TasksServiceService, cluster.address('tasks'));
  notifications = openStub(NotificationsServiceService, cluster.address('scheduler'));
  breakers = openStub(BreakersServiceService, cluster.address('scheduler'));
}, 120_000);
afterAll(async () => {
  for (const client of [auth, users, tasks, notifications, breakers]) client?.close();
  await testCluster?.stop();
});

const calls = [
  'auth.v1.AuthService/ListSessions',
  'users.v1.UsersService/GetMe',
  'tasks.v1.TasksService/ListTasks',
  'scheduler.v1.NotificationsService/ListNotifications',
].map((method) => `/taskflow.${method}`);

/** Waits until every service answers the token so. */
async function untilEverywhere(token: string, outcome: string): Promise<void> {
  await Promise.all(calls.map((path) => untilOutcome(() => testCluster.wire.call(path, {}, { token }), outcome)));
}

const invalid = 'UNAUTHENTICATED/TOKEN_INVALID';
const tokenInvalid = { kind: 'unauthenticated', reason: 'TOKEN_INVALID' };

/** Both kinds of user's streams. */
const userStreams = (token: string): AsyncIterable<unknown>[] => [
  tasks.watchTasks({}, { token }),
  notifications.watchNotifications({}, { token }),
];

/** Waits for the first message of each stream; what each ends with. */
async function openStreams(
  token: string,
  streams: readonly AsyncIterable<unknown>[] = userStreams(token),
): Promise<{ end: Promise<unknown> }[]> {
  return Promise.all(
    streams.map(async (stream) => {
      const messages = stream[Symbol.asyncIterator]();
      await messages.next();
      const read = async (): Promise<void> => {
        while ((await messages.next()).done !== true);
      };
      const end = read();
      end.catch(() => undefined);
      return { end };
    }),
  );
}

const revoke = async (owner: Person, personalTokenId: string): Promise<void> =>
  void (await auth.revokePersonalToken({ personalTokenId }, { token: owner.token }));

describe('a personal token', () => {
  it('A13: acts for its person, whose name the history shows, and every log line has its id', async () => {
    const person = await testCluster.register();
    const { id, token } = await testCluster.createPersonalToken(person);
    const task = await testCluster.createTask({ ...person, token });
    expect(task.ownerId).toBe(person.id);
    const { response } = await testCluster.wire.call(
      '/taskflow.tasks.v1.TasksService/ListTaskEvents',
      { taskId: task.id },
      { token },
    );
    expect((response as ListTaskEventsResponse).events).toMatchObject([{ actor: person.id }]);
    const logged = await waitUntil(
      () =>
        testCluster.cluster
          .logs('tasks')
          .split('\n')
          .filter((line) => line.includes(id)),
      (lines) => lines.length >= 2,
    );
    for (const line of logged) expect(JSON.parse(line)).toMatchObject({ userId: person.id, tokenId: id });
  });

  it('is refused by every service soon after its revocation, and open streams end', async () => {
    const person = await testCluster.register();
    const [{ id, token }, other] = [
      await testCluster.createPersonalToken(person),
      await testCluster.createPersonalToken(person),
    ];
    await untilEverywhere(token, 'OK');
    const ends = await openStreams(token);
    await revoke(person, id);
    for (const error of await Promise.all(ends.map(({ end }) => refusal(end))))
      expect(error).toMatchObject(tokenInvalid);
    await untilEverywhere(token, invalid);
    await untilEverywhere(other.token, 'OK');
  });

  it('is refused while its account is disabled; open streams end', async () => {
    const { admin } = testCluster;
    const person = await testCluster.register();
    const { token } = await testCluster.createPersonalToken(person);
    await untilEverywhere(token, 'OK');
    const ends = await openStreams(token);
    await auth.disableAccount({ accountId: person.id }, { token: admin.token });
    for (const error of await Promise.all(ends.map(({ end }) => refusal(end))))
      expect(error).toMatchObject(tokenInvalid);
    await untilEverywhere(token, invalid);
    await auth.enableAccount({ accountId: person.id }, { token: admin.token });
    await untilEverywhere(token, 'OK');
  });

  it('loses the power of an administrator with its person, on every service', async () => {
    const { admin } = testCluster;
    const person = await testCluster.register();
    await auth.setRole({ accountId: person.id, role: Role.ADMIN }, { token: admin.token });
    const { token: session } = await testCluster.openSession(person);
    const { token } = await testCluster.createPersonalToken({ ...person, token: session }, ['admin', 'tasks:read']);
    const { id: taskId } = await testCluster.createTask(await testCluster.register());
    await tasks.getTask({ taskId }, { token });
    const ends = await openStreams(token, [breakers.watchBreakers({}, { token }), tasks.watchTasks({}, { token })]);
    await auth.setRole({ accountId: person.id, role: Role.USER }, { token: admin.token });
    for (const { end } of ends) expect(await refusal(end)).toMatchObject(tokenInvalid);
    const get = () => testCluster.wire.call('/taskflow.tasks.v1.TasksService/GetTask', { taskId }, { token });
    await untilOutcome(get, 'NOT_FOUND/TASK_NOT_FOUND');
    const listSchedules = '/taskflow.scheduler.v1.SchedulerService/ListSchedules';
    await untilOutcome(() => testCluster.wire.call(listSchedules, {}, { token }), 'PERMISSION_DENIED/ADMIN_REQUIRED');
  });

  it('A17: of a service account owns tasks and is assigned to them, and its name is marked', async () => {
    const { admin, cluster, wire } = testCluster;
    const person = await testCluster.register();
    const { account } = await auth.createServiceAccount({ displayName: 'Backup' }, { token: admin.token });
    const id = account?.id ?? '';
    const ttl = { seconds: 3600n, nanos: 0 };
    const request = { name: 'a program', scopes: [Scope.TASKS_READ, Scope.TASKS_WRITE, Scope.USERS_READ], ttl };
    const { token } = await auth.createPersonalToken({ ...request, accountId: id }, { token: admin.token });
    await untilOutcome(() => wire.call('/taskflow.users.v1.UsersService/GetMe', {}, { token }));
    expect((await users.getMe({}, { token })).user).toMatchObject({ id, displayName: 'Backup', serviceAccount: true });
    const owned = await testCluster.createTask({ ...person, token }, person);
    const given = await testCluster.createTask(person, { ...person, id });
    const get = async (taskId: string) => (await tasks.getTask({ taskId }, { token: person.token })).task;
    const marked = await waitUntil(
      () => get(owned.id),
      (task) => task?.ownerName === 'Backup' && task.assigneeName === 'Ada',
    );
    expect(marked).toMatchObject({ ownerId: id, ownerServiceAccount: true, assigneeServiceAccount: false });
    expect(await get(given.id)).toMatchObject({
      assigneeName: 'Backup',
      assigneeServiceAccount: true,
      ownerServiceAccount: false,
    });
    expect(cluster.logs('auth')).not.toContain(token);
  });

  it('that nobody has used lately is UNAVAILABLE without auth, while sessions go on; afterwards it works', async () => {
    const { cluster, wire } = testCluster;
    const person = await testCluster.register();
    const { id, token } = await testCluster.createPersonalToken(person);
    const listTasks = (bearer: string) => wire.call('/taskflow.tasks.v1.TasksService/ListTasks', {}, { token: bearer });
    const { outcome } = await listTasks(token);
    expect(outcome).toBe('OK');
    const streams = await openStreams(token);
    await cluster.kill('auth', 'SIGKILL');
    const { error } = await untilOutcome(() => listTasks(token), 'UNAVAILABLE/TOKENS_UNAVAILABLE');
    expect(error?.details.retryAfterMs).toBeGreaterThan(0);
    expect((await listTasks(person.token)).outcome).toBe('OK');
    await cluster.start('auth');
    await untilEverywhere(token, 'OK');
    // The streams went on meanwhile, and end now by the revocation.
    await revoke(person, id);
    for (const error of await Promise.all(streams.map(({ end }) => refusal(end))))
      expect(error).toMatchObject(tokenInvalid);
  });
});
