import { afterAll, describe, expect, it } from '@jest/globals';
import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { waitUntil } from '#dev/cluster';
import { startSchedulerCluster } from './start-cluster.ts';
import { untilInbox } from './waiting.ts';

const service = await startSchedulerCluster();
afterAll(service.stop);
const ada = await service.newUser('Ada');
const bob = await service.newUser('Bob');

const assignToBob = (title: string) => service.createTask(ada, { title, assigneeId: bob.userId });
/** The row of the cursor, and the transaction that wrote it. */
const cursor = () => service.sql('select *, xmin::text from event_cursors');
const handled = () => service.metric('event_consumer_events_total');
const titles = async () => (await service.completedInbox(bob)).map(({ taskTitle, kind }) => [taskTitle, kind]);
const told = (title: string) => [title, NotificationKind.ASSIGNED];

describe('what a person does to their own tasks alone', () => {
  it('costs the scheduler no transaction, and what follows still notifies others', async () => {
    await assignToBob('first');
    await untilInbox(service, bob, 1);
    const before = [await cursor(), await handled()];
    for (let count = 0; count < 5; count += 1) await service.createTask(ada);
    const createdMs = Date.now();
    // Tasks has answered since: the scheduler is behind these events.
    await waitUntil(
      () => service.metric('event_consumer_last_pull_timestamp_seconds'),
      (seconds) => seconds * 1_000 > createdMs,
    );
    expect([await cursor(), await handled()]).toEqual(before);
    await assignToBob('second');
    await untilInbox(service, bob, 2);
    expect(await cursor()).not.toEqual(before[0]);
  });

  it('hides nothing from a scheduler that was killed behind it', async () => {
    await service.createTask(ada);
    await service.cluster.kill('scheduler', 'SIGKILL');
    await service.createTask(ada);
    await assignToBob('third');
    await service.createTask(ada);
    await service.cluster.start('scheduler');
    await untilInbox(service, bob, 3);
    await assignToBob('fourth');
    await untilInbox(service, bob, 4);
    expect((await titles()).toSorted()).toEqual(['first', 'fourth', 'second', 'third'].map(told));
    // One of each, and the overdue one by which `completedInbox` knows the end.
    expect(await service.sql('select 1 from notifications where recipient_id = $1', [bob.userId])).toHaveLength(5);
  });
});
