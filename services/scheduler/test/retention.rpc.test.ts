import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { until } from '#libs/devcluster';
import type { TestUser } from './start-cluster.ts';
import { startScheduler, type TestScheduler } from './start-scheduler.ts';

let service: TestScheduler;
let admin: TestUser;
beforeAll(async () => {
  service = await startScheduler();
  admin = await service.newUser('admin');
  // What stands in the tables is this test's business alone: nothing gets a job.
  await service.scheduler.pauseQueue({ queue: 'notifications' }, admin.as);
});
afterAll(() => service?.stop());

/** Runs the built-in pruning once, from beginning to end. */
async function prune(): Promise<void> {
  const { runId } = await service.scheduler.triggerSchedule({ scheduleId: 'pruning' }, admin.as);
  await until(() => service.sql<{ state: string }>('select state from schedule_runs where id = $1', [runId]), ([run]) => run?.state === 'done');
}

const days = (count: number): string => `${count} days`;
/** An id as it would have been made then. */
const idOf = async (age: string): Promise<string> => (await service.sql<{ id: string }>('select uuidv7(-$1::interval) as id', [age]))[0]?.id ?? '';
const left = async (table: string, ids: string[], column = 'id'): Promise<boolean[]> => {
  const rows = await service.sql<{ id: string }>(`select ${column}::text as id from ${table} where ${column} = any ($1)`, [ids]);
  return ids.map((id) => rows.some((row) => row.id === id));
};

async function addNotification(state: string, age: string, { jobId = null, deliverAge = age }: { jobId?: string | null; deliverAge?: string } = {}): Promise<string> {
  const id = await idOf(age);
  await service.sql(
    `insert into notifications (id, recipient_id, event_id, kind, task_id, task_title, due_version, task_version, previous_status, status, actor, call_id, trace_parent,
       event_time, state, deliver_after, job_id, create_time, deliver_time)
     values ($1, $5, $6, 1, $5, 'title', 1, 1, 0, 0, 'service:scheduler', '', '', now() - $3::interval, $2, 'infinity', $4, now() - $3::interval,
       case when $2 = 'delivered' then now() - $7::interval end)`,
    [id, state, age, jobId, randomUUID(), Math.floor(Math.random() * 1e12), deliverAge],
  );
  await addDelivery(id, state === 'pending' ? 'delivered' : state, age);
  return id;
}
const addDelivery = (id: string, outcome: string, age: string) =>
  service.sql(`insert into deliveries (notification_id, channel, outcome, attempts, error, create_time) values ($1, 'inbox', $2, 1, '', now() - $3::interval)`, [id, outcome, age]);

async function addLetter(state: string, age: string, job = { queue: 'notifications', jobId: randomUUID() as string }): Promise<string> {
  const id = await idOf(age);
  await service.sql(
    `insert into dead_letters (id, queue, name, job_id, payload, error, attempts, call_id, create_time, state, settle_time)
     values ($1, $2, 'some-job', $3, '{}', 'error', 1, '', now() - $5::interval, $4, case when $4 <> 'open' then now() - $5::interval end)`,
    [id, job.queue, job.jobId, state, age],
  );
  return id;
}

async function addRun(state: string, age: string, { jobId = null, scheduleId = randomUUID() }: { jobId?: string | null; scheduleId?: string } = {}): Promise<string> {
  const id = await idOf(age);
  await service.sql(
    `insert into schedule_runs (id, schedule_id, fire_time, planned_time, call_id, trace_parent, state, job_id, enqueue_time, result, create_time, finish_time)
     values ($1, $5, now() - $3::interval, now() - $3::interval, '', '', $2, $4, case when $2 = 'pending' then now() end, '', now() - $3::interval,
       case when $2 <> 'pending' then now() - $3::interval end)`,
    [id, state, age, jobId, scheduleId],
  );
  return id;
}

describe('pruning', () => {
  it('forgets old notifications that have ended, with their deliveries, and keeps young and pending ones', async () => {
    const old = [await addNotification('delivered', days(92)), await addNotification('stale', days(92)), await addNotification('muted', days(400))];
    const kept = [
      await addNotification('delivered', days(88)),
      await addNotification('pending', days(92)),
      await addNotification('delivered', days(92), { deliverAge: days(1) }),
    ];
    await prune();
    expect(await left('notifications', [...old, ...kept])).toEqual([false, false, false, true, true, true]);
    expect(await left('deliveries', old, 'notification_id')).toEqual([false, false, false]);
  });

  it('keeps what died while its dead letter is open', async () => {
    const [open, closed] = [randomUUID(), randomUUID()];
    await addLetter('open', days(92), { queue: 'notifications', jobId: open });
    await addLetter('open', days(92), { queue: 'schedules', jobId: open });
    await addLetter('discarded', days(92), { queue: 'notifications', jobId: closed });
    const notifications = [await addNotification('dead', days(92), { jobId: open }), await addNotification('dead', days(92), { jobId: closed })];
    const runs = [await addRun('dead', days(32), { jobId: open }), await addRun('dead', days(32), { jobId: closed })];
    await prune();
    expect(await left('notifications', notifications)).toEqual([true, false]);
    expect(await left('deliveries', notifications, 'notification_id')).toEqual([true, false]);
    expect(await left('schedule_runs', runs)).toEqual([true, false]);
  });

  it('keeps what a webhook is still to be sent', async () => {
    const [waiting, sent] = [await addNotification('delivered', days(92)), await addNotification('delivered', days(92))];
    const [ofWaiting, ofSent, young] = [randomUUID(), randomUUID(), randomUUID()];
    const add = (id: string, notificationId: string | null, state: string, age: string) =>
      service.sql(
        `insert into webhook_deliveries (id, webhook_id, notification_id, kind, task_version, event_id, message_id, state, attempts, next_attempt_time, create_time, finish_time)
         values ($1, $1, $2, 1, 1, 1, 'id', $3, 0, 'infinity', now() - $4::interval, case when $3 <> 'pending' then now() - $4::interval end)`,
        [id, notificationId, state, age],
      );
    await add(ofWaiting, waiting, 'pending', days(92));
    await add(ofSent, sent, 'delivered', days(92));
    await add(young, null, 'dead', days(29));
    await prune();
    expect(await left('notifications', [waiting, sent])).toEqual([true, false]);
    expect(await left('webhook_deliveries', [ofWaiting, ofSent, young])).toEqual([true, false, true]);
  });

  it('forgets deliveries before their notifications', async () => {
    const [old, young] = [await addNotification('delivered', days(31)), await addNotification('delivered', days(29))];
    await prune();
    expect(await left('notifications', [old, young])).toEqual([true, true]);
    expect(await left('deliveries', [old, young], 'notification_id')).toEqual([false, true]);
  });

  it('forgets runs, but none that is pending or whose fire time is still to be passed by its schedule', async () => {
    await service.sql(
      `insert into schedules (id, description, job, interval_ms, overlap_policy, catch_up_window_ms, built_in, create_time, paused, next_fire_time, last_result, last_run_failed)
       select 'behind', '', job, interval_ms, overlap_policy, catch_up_window_ms, false, create_time, false, now() + interval '1 day', '', false from schedules where id = 'pruning'`,
    );
    const runs = [await addRun('done', days(31)), await addRun('done', days(29)), await addRun('done', days(31), { scheduleId: 'behind' })];
    await service.sql(`update schedule_runs set fire_time = now() + interval '2 days' where id = $1`, [runs[2]]);
    const pending = await addRun('pending', days(31), { jobId: 'somebody-is-at-it', scheduleId: 'other' });
    await prune();
    expect(await left('schedule_runs', [...runs, pending])).toEqual([false, true, true, true]);
  });

  it('forgets closed dead letters, old parked events and what administrators did long ago', async () => {
    const letters = [await addLetter('retried', days(31)), await addLetter('discarded', days(29)), await addLetter('open', days(500))];
    const actions = [randomUUID(), randomUUID()];
    const addAction = (id: string | undefined, age: string) =>
      service.sql(`insert into admin_actions (id, actor_id, action, subject, call_id, create_time) values ($1, $1, 'PauseQueue', 'mail', '', now() - $2::interval)`, [id, age]);
    await addAction(actions[0], days(366));
    await addAction(actions[1], days(364));
    const park = (eventId: number, age: string) =>
      service.sql(`insert into parked_events (cursor_name, transaction_id, event_id, event, error, create_time) values ('tasks', '7', $1, '', 'TypeError', now() - $2::interval)`, [eventId, age]);
    await park(1, days(92));
    await park(2, days(80));
    await prune();
    expect(await left('dead_letters', letters)).toEqual([false, true, true]);
    expect(await left('admin_actions', actions)).toEqual([false, true]);
    expect(await left('parked_events', ['1', '2'], 'event_id')).toEqual([false, true]);
  });

  it('goes on until nothing is left, batch by batch', async () => {
    await service.sql(
      `insert into admin_actions (id, actor_id, action, subject, call_id, create_time)
       select uuidv7(), uuidv7(), 'PauseQueue', 'many', '', now() - interval '400 days' from generate_series(1, 12345)`,
    );
    await prune();
    expect(await service.sql("select 1 from admin_actions where subject = 'many'")).toEqual([]);
  });
});
