import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NotificationKind, notificationKindToNumber, type Notification } from '#contract/scheduler/v1/notifications';
import { TaskStatus } from '#contract/tasks/v1/tasks';
import { until } from '#libs/devcluster';
import { refusal, refused } from '../../test/refusals.ts';
import type { TestUser } from './start-cluster.ts';
import { startScheduler, type TestScheduler } from './start-scheduler.ts';

let service: TestScheduler;
let user: TestUser;
let admin: TestUser;
beforeAll(async () => {
  service = await startScheduler();
  [user, admin] = await Promise.all([service.newUser(), service.newUser('admin')]);
});
afterAll(() => service?.stop());

const trigger = (request: { scheduleId?: string; requestId?: string } = {}, as = admin.as) =>
  service.scheduler.triggerSchedule({ scheduleId: 'overdue-sweep', requestId: '', ...request }, as);

/** Those that somebody asked for; the fire times of the built-in schedules have theirs at any time. */
const runs = () => service.sql<{ id: string; requested_by: string }>('select id, requested_by from schedule_runs where requested_by is not null order by id');

describe('TriggerSchedule', () => {
  it('records a run before it answers, also while the queue and tasks are down', async () => {
    const { runId } = await trigger();
    expect(await runs()).toContainEqual({ id: runId, requested_by: admin.userId });
  });

  it('gives one run to one request id, also in parallel', async () => {
    const before = (await runs()).length;
    const requestId = randomUUID();
    const answers = await Promise.all(Array.from({ length: 5 }, () => trigger({ requestId })));
    expect(new Set(answers.map(({ runId }) => runId)).size).toBe(1);
    expect((await runs()).length).toBe(before + 1);
  });

  it('names a schedule that does not exist', async () => {
    const error = await refusal(trigger({ scheduleId: 'underdue-sweep' }));
    expect(error).toMatchObject({ kind: 'not_found', reason: 'SCHEDULE_NOT_FOUND', details: { resource: { type: 'schedule', name: 'underdue-sweep' } } });
  });

  it('names every field that breaks its rule', async () => {
    const error = await refusal(trigger({ scheduleId: '', requestId: 'no spaces' }));
    expect(error).toMatchObject({ kind: 'invalid_argument', reason: 'INVALID_FIELD' });
    expect(error.details.violations?.map(({ field }) => field).sort()).toEqual(['request_id', 'schedule_id']);
  });

  it('is for administrators', async () => {
    expect(await refused(trigger({}, user.as))).toEqual({ kind: 'permission_denied', reason: 'ADMIN_REQUIRED' });
  });
});

describe('ListSchedules', () => {
  it('tells the sweep with its interval and how its last run went', async () => {
    const { schedules } = await until(
      () => service.scheduler.listSchedules({}, admin.as),
      ({ schedules: [sweep] }) => sweep?.lastRunTime !== undefined && sweep.nextRunTime !== undefined,
    );
    expect(schedules).toMatchObject([{ id: 'overdue-sweep', interval: { seconds: 3_600n, nanos: 0 }, lastRunFailed: true }, { id: 'pruning' }]);
    expect(schedules[0]?.lastResult).not.toBe('');
  });

  it('is for administrators', async () => {
    expect(await refused(service.scheduler.listSchedules({}, user.as))).toEqual({ kind: 'permission_denied', reason: 'ADMIN_REQUIRED' });
  });
});

/** Delivered notifications, all at the same moment. */
async function deliver(recipientId: string, count: number): Promise<string[]> {
  const rows = await service.sql<{ id: string }>(
    `insert into notifications (id, recipient_id, event_id, kind, task_id, task_title, due_version, task_version, previous_status, status,
       actor, call_id, trace_parent, event_time, state, deliver_time, create_time)
     select gen_random_uuid(), $1, n + (select coalesce(max(event_id), 0) from notifications), $3, gen_random_uuid(), 'title', 1, 1, 0, 0,
       'service:scheduler', '', '', now(), 'delivered', '2026-01-01', now() from generate_series(1, $2::int) as n returning id`,
    [recipientId, count, notificationKindToNumber(NotificationKind.OVERDUE)],
  );
  return rows.map(({ id }) => id);
}

async function listAll(as: TestUser['as'], pageSize: number): Promise<Notification[]> {
  const all: Notification[] = [];
  let pageToken = '';
  do {
    const page = await service.notifications.listNotifications({ pageSize, pageToken }, as);
    expect(page.notifications.length).toBeLessThanOrEqual(pageSize);
    all.push(...page.notifications);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return all;
}

describe('ListNotifications', () => {
  it('gives everything once, in pages, also when all were delivered at the same moment (D21)', async () => {
    const reader = await service.newUser();
    const ids = await deliver(reader.userId, 25);
    await deliver((await service.newUser()).userId, 3);
    const listed = (await listAll(reader.as, 10)).map(({ id }) => id);
    expect(listed).toEqual([...ids].sort().reverse());
  });

  it('gives 50 unless asked, and never more than 500', async () => {
    const reader = await service.newUser();
    await deliver(reader.userId, 520);
    const page = async (pageSize: number) => (await service.notifications.listNotifications({ pageSize }, reader.as)).notifications;
    expect([(await page(0)).length, (await page(10_000)).length]).toEqual([50, 500]);
    expect((await page(1))[0]).toMatchObject({ kind: NotificationKind.OVERDUE, status: TaskStatus.UNSPECIFIED, dueTime: undefined });
  });

  it('refuses a negative size and a token of somebody else', async () => {
    const reader = await service.newUser();
    await deliver(reader.userId, 2);
    const { nextPageToken } = await service.notifications.listNotifications({ pageSize: 1 }, reader.as);
    expect(await refused(service.notifications.listNotifications({ pageSize: -1 }, reader.as))).toEqual({ kind: 'invalid_argument', reason: 'INVALID_FIELD' });
    const stolen = service.notifications.listNotifications({ pageSize: 1, pageToken: nextPageToken }, user.as);
    expect(await refused(stolen)).toEqual({ kind: 'invalid_argument', reason: 'PAGE_TOKEN_INVALID' });
  });

  it('needs credentials', async () => {
    expect(await refused(service.notifications.listNotifications({}))).toEqual({ kind: 'unauthenticated', reason: 'CREDENTIALS_MISSING' });
  });
});

describe('without its database', () => {
  it('says so instead of answering an empty list', async () => {
    const other = await startScheduler();
    const reader = await other.newUser();
    await other.cutDatabase();
    expect(await refused(other.notifications.listNotifications({}, reader.as))).toEqual({ kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' });
    await until(async () => (await fetch(`http://127.0.0.1:${other.app.httpPort}/readyz`)).status, (status) => status === 503);
    await other.stop();
  });
});
