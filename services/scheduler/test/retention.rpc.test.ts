import { afterAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { DeadJobState } from '#contract/scheduler/v1/jobs';
import { uuidv7 } from '#libs/db';
import type { NotificationState } from '../src/domain/notifications/notification.columns.ts';
import type { RunState } from '../src/domain/schedules/schedule.columns.ts';
import { startScheduler } from './start-scheduler.ts';
import { untilDone } from './waiting.ts';
import { addDeadLetter, addDeadLetterEvent, addNotification, addRun } from './rows.ts';

const service = await startScheduler();
afterAll(service.stop);
const admin = await service.newUser('admin');
// No row of the tests gets a job.
await service.scheduler.pauseQueue({ queue: 'notifications' }, admin.as);

/** Runs the built-in pruning once, from beginning to end. */
async function prune(): Promise<void> {
  const { runId } = await service.scheduler.triggerSchedule({ scheduleId: 'pruning' }, admin.as);
  await untilDone(service, runId);
}

/** The time this many days ago. */
const days = (count: number): Date => new Date(Date.now() - count * 86_400_000);
/** An id as it was made then. */
const idOf = (time: Date): string => uuidv7({ msecs: time.getTime() });
const left = async (table: string, ids: string[], column = 'id'): Promise<boolean[]> => {
  const rows = await service.sql<{ id: string }>(
    `select ${column}::text as id from ${table} where ${column} = any ($1)`,
    [ids],
  );
  return ids.map((id) => rows.some((row) => row.id === id));
};

async function notificationOf(
  state: NotificationState,
  createTime: Date,
  { jobId = null, deliverTime = createTime }: { jobId?: string | null; deliverTime?: Date } = {},
): Promise<string> {
  const id = await addNotification(service, {
    id: idOf(createTime),
    state,
    deliverAfter: 'infinity',
    jobId,
    createTime,
    deliverTime: state === 'delivered' ? deliverTime : null,
  });
  await service.sql(
    `insert into deliveries (notification_id, channel, outcome, attempts, error, create_time) values ($1, 'inbox', $2, 1, '', $3)`,
    [id, state === 'pending' ? 'delivered' : state, createTime],
  );
  return id;
}

const deadLetterOf = (
  state: DeadJobState,
  createTime: Date,
  job = { queue: 'notifications', jobId: randomUUID() as string },
): Promise<string> =>
  addDeadLetter(service, {
    ...job,
    id: idOf(createTime),
    createTime,
    state,
    resolveTime: state === DeadJobState.OPEN ? null : createTime,
  });

const runOf = (
  state: RunState,
  createTime: Date,
  { jobId = null, scheduleId = randomUUID() }: { jobId?: string | null; scheduleId?: string } = {},
): Promise<string> =>
  addRun(service, {
    id: idOf(createTime),
    scheduleId,
    fireTime: createTime,
    plannedTime: createTime,
    state,
    jobId,
    enqueueTime: state === 'pending' ? new Date() : null,
    createTime,
    endTime: state === 'pending' ? null : createTime,
  });

describe('pruning', () => {
  it('deletes old notifications that have ended, with their deliveries, and keeps young and pending ones', async () => {
    const old = [
      await notificationOf('delivered', days(92)),
      await notificationOf('stale', days(92)),
      await notificationOf('muted', days(400)),
    ];
    const kept = [
      await notificationOf('delivered', days(88)),
      await notificationOf('pending', days(92)),
      await notificationOf('delivered', days(92), { deliverTime: days(1) }),
    ];
    await prune();
    expect(await left('notifications', [...old, ...kept])).toEqual([false, false, false, true, true, true]);
    expect(await left('deliveries', old, 'notification_id')).toEqual([false, false, false]);
  });

  it('keeps dead notifications and runs while their dead letter is open', async () => {
    const [open, closed] = [randomUUID(), randomUUID()];
    await deadLetterOf(DeadJobState.OPEN, days(92), { queue: 'notifications', jobId: open });
    await deadLetterOf(DeadJobState.OPEN, days(92), { queue: 'schedules', jobId: open });
    await deadLetterOf(DeadJobState.DISCARDED, days(92), { queue: 'notifications', jobId: closed });
    const notifications = [
      await notificationOf('dead', days(92), { jobId: open }),
      await notificationOf('dead', days(92), { jobId: closed }),
    ];
    const runs = [await runOf('dead', days(32), { jobId: open }), await runOf('dead', days(32), { jobId: closed })];
    await prune();
    expect(await left('notifications', notifications)).toEqual([true, false]);
    expect(await left('deliveries', notifications, 'notification_id')).toEqual([true, false]);
    expect(await left('schedule_runs', runs)).toEqual([true, false]);
  });

  it('keeps notifications that are still to be sent to a webhook', async () => {
    const [waiting, sent] = [await notificationOf('delivered', days(92)), await notificationOf('delivered', days(92))];
    const [ofWaiting, ofSent, young] = [randomUUID(), randomUUID(), randomUUID()];
    const add = (id: string, notificationId: string | null, state: string, createTime: Date) =>
      service.sql(
        `insert into webhook_deliveries (id, webhook_id, notification_id, kind, task_version, event_id, message_id, state,
           attempts, next_attempt_time, create_time, finish_time)
         values ($1, $1, $2, 1, 1, 1, 'id', $3, 0, 'infinity', $4, case when $3 <> 'pending' then $4::timestamptz end)`,
        [id, notificationId, state, createTime],
      );
    await add(ofWaiting, waiting, 'pending', days(92));
    await add(ofSent, sent, 'delivered', days(92));
    await add(young, null, 'dead', days(29));
    await prune();
    expect(await left('notifications', [waiting, sent])).toEqual([true, false]);
    expect(await left('webhook_deliveries', [ofWaiting, ofSent, young])).toEqual([true, false, true]);
  });

  it('deletes deliveries before their notifications', async () => {
    const [old, young] = [await notificationOf('delivered', days(31)), await notificationOf('delivered', days(29))];
    await prune();
    expect(await left('notifications', [old, young])).toEqual([true, true]);
    expect(await left('deliveries', [old, young], 'notification_id')).toEqual([false, true]);
  });

  it('deletes ended runs, except those whose fire time is still ahead of their schedule', async () => {
    await service.sql(
      `insert into schedules (id, description, job, interval_ms, overlap_policy, catch_up_window_ms, built_in, create_time,
         paused, next_fire_time, last_result, last_run_failed)
       select 'behind', '', job, interval_ms, overlap_policy, catch_up_window_ms, false, create_time,
         false, now() + interval '1 day', '', false from schedules where id = 'pruning'`,
    );
    const runs = [
      await runOf('done', days(31)),
      await runOf('done', days(29)),
      await runOf('done', days(31), { scheduleId: 'behind' }),
    ];
    await service.sql(`update schedule_runs set fire_time = now() + interval '2 days' where id = $1`, [runs[2]]);
    const pending = await runOf('pending', days(31), { jobId: 'running-job', scheduleId: 'other' });
    await prune();
    expect(await left('schedule_runs', [...runs, pending])).toEqual([false, true, true, true]);
  });

  it('deletes closed dead letters, old dead-letter events and old actions of administrators', async () => {
    const letters = [
      await deadLetterOf(DeadJobState.RETRIED, days(31)),
      await deadLetterOf(DeadJobState.DISCARDED, days(29)),
      await deadLetterOf(DeadJobState.OPEN, days(500)),
    ];
    const actions = [randomUUID(), randomUUID()];
    const addAction = (id: string | undefined, createTime: Date) =>
      service.sql(
        `insert into admin_actions (id, actor_id, action, subject, call_id, create_time)
         values ($1, $1, 'PauseQueue', 'mail', '', $2)`,
        [id, createTime],
      );
    await addAction(actions[0], days(366));
    await addAction(actions[1], days(364));
    await addDeadLetterEvent(service, 1n, { createTime: days(92) });
    await addDeadLetterEvent(service, 2n, { createTime: days(80) });
    await prune();
    expect(await left('dead_letters', letters)).toEqual([false, true, true]);
    expect(await left('admin_actions', actions)).toEqual([false, true]);
    expect(await left('parked_events', ['1', '2'], 'event_id')).toEqual([false, true]);
  });

  it('deletes mails that have ended, and keeps those that wait or whose dead letter is open', async () => {
    const [open, closed] = [randomUUID(), randomUUID()];
    await deadLetterOf(DeadJobState.OPEN, days(31), { queue: 'mails', jobId: open });
    await deadLetterOf(DeadJobState.DISCARDED, days(31), { queue: 'mails', jobId: closed });
    const mailOf = async (state: string, time: Date, jobId: string | null = null): Promise<string> => {
      const id = idOf(time);
      await service.sql(
        `insert into mails (id, kind, state, job_id, call_id, trace_parent, create_time, finish_time)
         values ($1, 1, $2, $3, '', '', $4, case when $2 <> 'pending' then $4::timestamptz end)`,
        [id, state, jobId, time],
      );
      return id;
    };
    const old = [
      await mailOf('sent', days(31)),
      await mailOf('stale', days(31)),
      await mailOf('dead', days(31), closed),
    ];
    const kept = [
      await mailOf('sent', days(29)),
      await mailOf('pending', days(31)),
      await mailOf('dead', days(31), open),
    ];
    await prune();
    expect(await left('mails', [...old, ...kept])).toEqual([false, false, false, true, true, true]);
  });

  it('continues in batches until nothing is left', async () => {
    await service.sql(
      `insert into admin_actions (id, actor_id, action, subject, call_id, create_time)
       select uuidv7(), uuidv7(), 'PauseQueue', 'many', '', now() - interval '400 days' from generate_series(1, 12345)`,
    );
    await prune();
    expect(await service.sql("select 1 from admin_actions where subject = 'many'")).toEqual([]);
  });
});
