import { describe, expect, it } from '@jest/globals';
import { NotificationKind, NotificationsServiceService } from '#contract/scheduler/v1/notifications';
import { openStub, retry } from '#dev/stubs';
import { runDemonstration, type DemonstrationResult } from '../demonstration/demonstration.ts';
import { serviceNames, type ServiceName } from '#dev/cluster';
import { useTasksCluster } from './start-cluster.ts';

const service = useTasksCluster({ services: serviceNames });

/** Everything the account has afterwards, read over the public API. */
async function readAccount({ email, password }: DemonstrationResult) {
  const inbox = openStub(NotificationsServiceService, service.cluster.address('scheduler'));
  try {
    const { tokens } = await retry(() => service.auth.login({ email, password }));
    const token = tokens?.accessToken ?? '';
    const listed = await retry(() => service.tasks.listTasks({}, { token }));
    const { notifications } = await retry(() => inbox.listNotifications({}, { token }));
    return { tasks: listed.tasks, notifications };
  } finally {
    inbox.close();
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
  const overdue = notifications
    .filter(({ kind }) => kind === NotificationKind.OVERDUE)
    .map(({ taskTitle }) => taskTitle)
    .sort();
  expect(overdue).toEqual(['Renew the passport', 'Send the invoice for January']);
}

/** Kills the service as each step begins and starts it again while the step goes on. */
function killAtEveryStep(name: ServiceName): { onStep: () => Promise<void>; restarted: () => Promise<void> } {
  let restarted = Promise.resolve();
  return {
    onStep: async () => {
      await restarted;
      restarted = service.cluster.kill(name, 'SIGKILL').then(() => service.cluster.start(name));
    },
    restarted: () => restarted,
  };
}

it('D7: brings an overdue line of a real todo.txt file to its owner as a notification', async () => {
  const result = await runDemonstration(service.cluster);
  expect({ added: result.added, overdue: result.overdue }).toEqual({ added: 6, overdue: 2n });
  await expectNothingLostOrTwice(result);
});

describe.each(serviceNames)('with %s killed at every step', (name) => {
  it('the demonstration still ends, with nothing lost and nothing twice', async () => {
    const trouble = killAtEveryStep(name);
    try {
      const result = await runDemonstration(service.cluster, { onStep: trouble.onStep });
      await trouble.restarted();
      await expectNothingLostOrTwice(result);
    } finally {
      await trouble.restarted();
    }
  }, 400_000);
});
