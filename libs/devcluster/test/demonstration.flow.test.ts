import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { NotificationKind, NotificationsServiceService } from '#contract/scheduler/v1/notifications';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { openPublicClient, patiently } from '#libs/grpc';
import { runDemonstration, type DemonstrationResult } from '../src/demonstration.ts';
import { serviceNames, startCluster, testPostgresUrl, testRedisUrl, type Cluster, type ServiceName } from '../src/index.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ postgresAdminUrl: testPostgresUrl(), redisUrl: testRedisUrl(), copyDatabases: true, ports: 'free' });
});

afterAll(async () => cluster?.stop());

/** Everything the account has afterwards, read over the public API. */
async function readAccount({ email, password }: DemonstrationResult) {
  const auth = openPublicClient(AuthServiceService, cluster.address('auth'));
  const tasks = openPublicClient(TasksServiceService, cluster.address('tasks'));
  const inbox = openPublicClient(NotificationsServiceService, cluster.address('scheduler'));
  try {
    const { tokens } = await patiently(() => auth.login({ email, password }));
    const token = tokens?.accessToken ?? '';
    const listed = await patiently(() => tasks.listTasks({}, { token }));
    const { notifications } = await patiently(() => inbox.listNotifications({}, { token }));
    return { tasks: listed.tasks, notifications };
  } finally {
    for (const client of [auth, tasks, inbox]) client.close();
  }
}

async function expectNothingLostOrTwice(result: DemonstrationResult): Promise<void> {
  const { tasks, notifications } = await readAccount(result);
  const titles = tasks.map((task) => task.title).sort();
  expect(titles).toEqual([
    'Compare electricity tariffs',
    'Renew the passport',
    'Return the library books',
    'Send the invoice for January',
    'Sort the photo archive',
    'Water the plants',
  ]);
  const overdue = notifications.filter(({ kind }) => kind === NotificationKind.OVERDUE).map(({ taskTitle }) => taskTitle).sort();
  expect(overdue).toEqual(['Renew the passport', 'Send the invoice for January']);
}

/** Kills the service as each step begins and starts it again while the step goes on. */
function killAtEveryStep(service: ServiceName): { onStep: () => Promise<void>; restarted: () => Promise<void> } {
  let restarted = Promise.resolve();
  return {
    onStep: async () => {
      await restarted;
      restarted = cluster.kill(service, 'SIGKILL').then(() => cluster.start(service));
    },
    restarted: () => restarted,
  };
}

it('D7: brings an overdue line of a real todo.txt file to its owner as a notification', async () => {
  const result = await runDemonstration(cluster);
  expect({ added: result.added, overdue: result.overdue }).toEqual({ added: 6, overdue: 2n });
  await expectNothingLostOrTwice(result);
});

describe.each(serviceNames)('with %s killed at every step', (service) => {
  it('the demonstration still ends, with nothing lost and nothing twice', async () => {
    const trouble = killAtEveryStep(service);
    try {
      const result = await runDemonstration(cluster, { onStep: trouble.onStep });
      await trouble.restarted();
      await expectNothingLostOrTwice(result);
    } finally {
      await trouble.restarted();
    }
  }, 400_000);
});
