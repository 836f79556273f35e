import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { until } from '#libs/devcluster';
import { Client } from 'pg';
import { anHourAgo, startSchedulerCluster, type SchedulerCluster, type TestUser } from './start-cluster.ts';

let service: SchedulerCluster;
let ada: TestUser;
beforeAll(async () => {
  // Shorter than tasks keeps its events.
  service = await startSchedulerCluster({ env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000', TASKFLOW_SCHEDULER_NOTIFICATION_RETENTION_DAYS: '5' } });
  ada = await service.newUser('Ada');
});
afterAll(() => service?.stop());

/** Lets the databases believe that everything so far happened long ago. */
async function passDays(count: number): Promise<void> {
  const tasks = new Client({ connectionString: service.cluster.databaseUrl('tasks') });
  await tasks.connect();
  await tasks.query(`update events set create_time = create_time - make_interval(days => $1)`, [count]);
  await tasks.end();
  const age = 'make_interval(days => $1)';
  await service.sql(`update notifications set id = uuidv7(-${age}), create_time = create_time - ${age}, deliver_time = deliver_time - ${age}, event_time = event_time - ${age}`, [count]);
}

it('an event whose notification has been forgotten is not told again when the log is read from its beginning', async () => {
  const task = await service.createTask(ada, { dueTime: anHourAgo() });
  await service.sweep();
  await until(() => service.inbox(ada), (all) => all.some(({ taskId }) => taskId === task.id));
  await passDays(10);
  await service.scheduler.triggerSchedule({ scheduleId: 'pruning' }, service.admin.as);
  await until(() => service.inbox(ada), (all) => all.length === 0);
  await service.sql("delete from event_cursors where name = 'tasks'");
  // The puller notices with the next event, and then reads all of them.
  const later = await service.createTask(ada, { dueTime: anHourAgo() });
  await service.sweep();
  await until(() => service.inbox(ada), (all) => all.length > 0);
  expect((await service.inbox(ada)).map(({ taskId }) => taskId)).toEqual([later.id]);
  expect(await service.sql('select 1 from notifications where task_id = $1', [task.id])).toEqual([]);
  await until(async () => service.cluster.logs('scheduler').includes('events were too old to be told of'), Boolean);
});
