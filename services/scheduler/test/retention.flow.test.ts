import { afterAll, expect, it } from '@jest/globals';
import { waitUntil } from '#dev/cluster';
import { queryOnce } from '#dev/testing';
import { anHourAgo, startSchedulerCluster } from './start-cluster.ts';
import { dueAt } from '../../tasks/test/due.ts';
import { untilInbox } from './waiting.ts';

// Shorter than tasks keeps its events.
const service = await startSchedulerCluster({
  env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000', TASKFLOW_SCHEDULER_NOTIFICATION_RETENTION_DAYS: '5' },
});
afterAll(service.stop);
const ada = await service.newUser('Ada');

/** Moves everything so far into the past. */
async function passDays(count: number): Promise<void> {
  const text = 'update events set create_time = create_time - make_interval(days => $1)';
  await queryOnce(service.cluster.databaseUrl('tasks'), text, [count]);
  const age = 'make_interval(days => $1)';
  await service.sql(
    `update notifications set id = uuidv7(-${age}), create_time = create_time - ${age}, deliver_time = deliver_time - ${age}, event_time = event_time - ${age}`,
    [count],
  );
}

it('an event whose notification was pruned notifies nobody when the log is read from its beginning again', async () => {
  const task = await service.createTask(ada, { ...dueAt(anHourAgo()) });
  await service.sweep();
  await untilInbox(service, ada, ({ taskId }) => taskId === task.id);
  await passDays(10);
  await service.scheduler.triggerSchedule({ scheduleId: 'pruning' }, service.admin.as);
  await untilInbox(service, ada, 0);
  await service.sql("delete from event_cursors where name = 'tasks'");
  // The event consumer notices with the next event, and then reads all of them.
  const later = await service.createTask(ada, { ...dueAt(anHourAgo()) });
  await service.sweep();
  await waitUntil(
    () => service.inbox(ada),
    (all) => all.length > 0,
  );
  expect((await service.inbox(ada)).map(({ taskId }) => taskId)).toEqual([later.id]);
  expect(await service.sql('select 1 from notifications where task_id = $1', [task.id])).toEqual([]);
  await waitUntil(async () =>
    service.cluster.logs('scheduler').includes('ignored events that are older than the retention'),
  );
});
