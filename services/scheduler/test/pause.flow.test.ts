import { afterAll, expect, it } from '@jest/globals';
import { waitUntil } from '#dev/cluster';
import { anHourAgo, startSchedulerCluster } from './start-cluster.ts';
import { dueAt } from '../../tasks/test/due.ts';
import { untilDone, untilInbox } from './waiting.ts';

const queue = 'notifications';
const replicas = [0, 1];

const service = await startSchedulerCluster({ replicas: { scheduler: replicas.length } });
afterAll(service.stop);

/** Whether every replica has paused the queue. */
async function pausedByAll(): Promise<boolean> {
  const pages = await Promise.all(
    replicas.map(async (replica) =>
      (await fetch(`${service.cluster.httpAddress('scheduler', replica)}/metrics`)).text(),
    ),
  );
  return pages.every((page) => new RegExp(`^taskflow_queue_paused\\{[^}]*queue="${queue}"[^}]*\\} 1$`, 'm').test(page));
}

/** How often a job of the queue has ended, in any replica. */
const ended = (): number =>
  replicas
    .flatMap((replica) => service.cluster.logs('scheduler', replica).split('\n'))
    .filter((line) => line.includes('"deliver-notifications"') && line.includes('job completed')).length;

/** While the other queues work: some runs begin and end, each of them a chance for a paused job to slip through. */
async function letOthersWork(): Promise<void> {
  for (let round = 0; round < 5; round += 1) {
    const runId = await service.sweep();
    await untilDone(service, runId);
  }
}

const waiting = async (): Promise<bigint> =>
  (await service.scheduler.listQueues({}, service.admin.as)).queues.find(({ name }) => name === queue)?.waitingCount ??
  0n;
const states = () =>
  service.sql<{ state: string; outcomes: number }>(
    'select n.state, (select count(*)::int from deliveries where notification_id = n.id) as outcomes from notifications n',
  );

it('a paused queue begins no job in any replica, also after Redis forgot everything and a replica was restarted, until it is resumed', async () => {
  const ada = await service.newUser('Ada');
  await service.scheduler.pauseQueue({ queue }, service.admin.as);
  await waitUntil(pausedByAll);
  await service.createTask(ada, { ...dueAt(anHourAgo()) });
  await letOthersWork();
  await waitUntil(waiting, (count) => count === 1n);
  expect([await states(), ended()]).toEqual([[{ state: 'pending', outcomes: 0 }], 0]);

  await service.flushRedis();
  // The reconciler has made another job.
  await waitUntil(waiting, (count) => count === 1n);
  await letOthersWork();
  expect([await states(), ended()]).toEqual([[{ state: 'pending', outcomes: 0 }], 0]);

  await service.cluster.restart('scheduler', 1);
  await waitUntil(pausedByAll);
  await letOthersWork();
  expect([await states(), ended()]).toEqual([[{ state: 'pending', outcomes: 0 }], 0]);

  await service.scheduler.resumeQueue({ queue }, service.admin.as);
  await untilInbox(service, ada, 1);
  expect(await states()).toEqual([{ state: 'delivered', outcomes: 1 }]);
});
