import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { NotificationsServiceService } from '#contract/scheduler/v1/notifications';
import { Task, TasksServiceService, type TaskEvent } from '#contract/tasks/v1/tasks';
import { UsersServiceService } from '#contract/users/v1/users';
import { serviceNames, until, type ServiceName } from '#libs/devcluster';
import { openPublicClient, type CallError } from '#libs/grpc';
import { startWorld, type Person, type World } from './start-world.ts';

let world: World;
let ada: Person;
let clients: ReturnType<typeof openClients>;
beforeAll(async () => {
  world = await startWorld({ replicas: Object.fromEntries(serviceNames.map((service) => [service, 2])) });
  ada = await world.register();
  clients = openClients();
});
afterAll(async () => {
  clients?.close();
  await world?.stop();
});

function openClients() {
  const options = { roundRobin: true, resend: false };
  const auth = openPublicClient(AuthServiceService, world.cluster.target('auth'), options);
  const users = openPublicClient(UsersServiceService, world.cluster.target('users'), options);
  const tasks = openPublicClient(TasksServiceService, world.cluster.target('tasks'), options);
  const notifications = openPublicClient(NotificationsServiceService, world.cluster.target('scheduler'), options);
  return { auth, users, tasks, notifications, close: () => [auth, users, tasks, notifications].forEach((client) => client.close()) };
}

/** How many calls of this test the replica has answered since it was started. */
async function answeredBy(service: ServiceName, replica: number): Promise<number> {
  const text = await (await fetch(`${world.cluster.httpAddress(service, replica)}/metrics`)).text();
  const names = 'CreateTask|ListTasks|GetMe|ListSessions|ListNotifications';
  return text.split('\n').filter((line) => new RegExp(`^grpc_server_handled_total\\{method="[^"]*/(${names})",code="OK"`).test(line)).length;
}

describe('invariant 7: a rolling restart of every service under load', () => {
  it('fails no call of clients that send nothing twice, and streams go on where they were', async () => {
    const as = { token: ada.token };
    const failures: string[] = [];
    let calls = 0;
    let busy = true;
    const repeat = async (name: string, call: () => Promise<unknown>): Promise<void> => {
      while (busy) {
        await call().then(
          () => (calls += 1),
          // What never left the client is no failure of a server.
          ({ isUnsent, message, reason }: CallError) => isUnsent || failures.push(`${name}: ${message} ${reason ?? ''}`),
        );
      }
    };
    const events: TaskEvent[] = [];
    const leaving = new AbortController();
    let resumeToken = '';
    let interruptions = 0;
    const follow = async (): Promise<void> => {
      while (!leaving.signal.aborted) {
        try {
          for await (const message of clients.tasks.watchTasks({ resumeToken }, { ...as, signal: leaving.signal })) {
            if (message.event !== undefined) events.push(message.event);
            resumeToken = message.resumeToken;
          }
        } catch {
          interruptions += 1;
        }
      }
    };
    const following = follow();
    await until(async () => resumeToken, (token) => token !== '');
    const working = [
      repeat('CreateTask', () => clients.tasks.createTask({ task: Task.fromPartial({ title: 'rolling' }) }, as)),
      repeat('CreateTask for somebody', () => clients.tasks.createTask({ task: Task.fromPartial({ title: 'rolling', assigneeId: world.admin.id }) }, as)),
      repeat('ListTasks', () => clients.tasks.listTasks({}, as)),
      repeat('GetMe', () => clients.users.getMe({}, as)),
      repeat('ListSessions', () => clients.auth.listSessions({}, as)),
      repeat('ListNotifications', () => clients.notifications.listNotifications({}, as)),
    ];
    for (const service of serviceNames) {
      for (const replica of [0, 1]) {
        await world.cluster.restart(service, replica);
        // As minReadySeconds of the deployments does: clients find the new replica before the next one goes.
        await until(() => answeredBy(service, replica), (count) => count > 0);
      }
    }
    busy = false;
    await Promise.all(working);
    expect(failures).toEqual([]);
    expect(calls).toBeGreaterThan(100);
    const { stats } = await clients.tasks.getTaskStats({}, as);
    await until(async () => events.length, (length) => length >= Number(stats?.total));
    leaving.abort();
    await following;
    expect(interruptions).toBeGreaterThan(0);
    expect(events.map(({ sequence }) => Number(sequence)).sort((a, b) => a - b)).toEqual(Array.from({ length: Number(stats?.total) }, (_, index) => index + 1));
  }, 600_000);
});
