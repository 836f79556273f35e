import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { NotificationKind, type Notification } from '#contract/scheduler/v1/notifications';
import { TaskStatus } from '#contract/tasks/v1/tasks';
import { waitUntil } from '#dev/cluster';
import { kindAndReason, readPages, refusal, refused } from '#dev/testing';
import type { TestUser } from './start-cluster.ts';
import { startScheduler } from './start-scheduler.ts';
import { addNotification } from './rows.ts';

const service = await startScheduler();
afterAll(service.stop);
const [user, admin] = await Promise.all([service.newUser(), service.newUser('admin')]);

const trigger = (request: { scheduleId?: string; requestId?: string } = {}, as = admin.as) =>
  service.scheduler.triggerSchedule({ scheduleId: 'overdue-sweep', requestId: '', ...request }, as);

/** The runs that were asked for; fire times of the built-in schedules add others at any time. */
const runs = () =>
  service.sql<{ id: string; requested_by: string }>(
    'select id, requested_by from schedule_runs where requested_by is not null order by id',
  );

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

  it('says what keeps the run from beginning: the one ahead of it and why that failed, or its paused queue', async () => {
    await trigger();
    const { waitsFor } = await waitUntil(
      () => trigger(),
      (answer) => answer.waitsFor.includes('failed'),
    );
    expect(waitsFor).toMatch(
      /^the run [\da-f-]{36} of the schedule has to end first; the last try failed: tasks did not answer$/,
    );
    await service.scheduler.pauseQueue({ queue: 'schedules' }, admin.as);
    expect((await trigger()).waitsFor).toBe('the queue "schedules" is paused');
    await service.scheduler.resumeQueue({ queue: 'schedules' }, admin.as);
  });

  it('names a schedule that does not exist', async () => {
    const error = await refusal(trigger({ scheduleId: 'underdue-sweep' }));
    expect(error).toMatchObject({
      kind: 'not_found',
      reason: 'SCHEDULE_NOT_FOUND',
      details: { resource: { type: 'schedule', name: 'underdue-sweep' } },
    });
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
    const { schedules } = await waitUntil(
      () => service.scheduler.listSchedules({}, admin.as),
      ({ schedules: [sweep] }) => sweep?.lastRunTime !== undefined && sweep.nextRunTime !== undefined,
    );
    expect(schedules).toMatchObject([
      {
        id: 'overdue-sweep',
        recurrence: { $case: 'interval', value: { seconds: 3_600n, nanos: 0 } },
        lastRunFailed: true,
      },
      { id: 'pruning' },
    ]);
    expect(schedules[0]?.lastResult).not.toBe('');
  });

  it('is for administrators', async () => {
    expect(await kindAndReason(service.scheduler.listSchedules({}, user.as))).toBe('permission_denied/ADMIN_REQUIRED');
  });
});

/** Delivered notifications, all at the same moment. */
async function deliver(recipientId: string, count: number): Promise<string[]> {
  const delivered = { recipientId, state: 'delivered', deliverTime: new Date('2026-01-01') } as const;
  const ids: string[] = [];
  while (ids.length < count) ids.push(await addNotification(service, { ...delivered, id: randomUUID() }));
  return ids;
}

async function listAll(as: TestUser['as'], pageSize: number): Promise<Notification[]> {
  const pages = await readPages((pageToken) => service.notifications.listNotifications({ pageSize, pageToken }, as));
  for (const { notifications } of pages) expect(notifications.length).toBeLessThanOrEqual(pageSize);
  return pages.flatMap(({ notifications }) => notifications);
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
    const page = async (pageSize: number) =>
      (await service.notifications.listNotifications({ pageSize }, reader.as)).notifications;
    expect([(await page(0)).length, (await page(10_000)).length]).toEqual([50, 500]);
    expect((await page(1))[0]).toMatchObject({
      kind: NotificationKind.OVERDUE,
      status: TaskStatus.UNSPECIFIED,
      dueTime: undefined,
    });
  });

  it('refuses a negative size and a token of another user', async () => {
    const reader = await service.newUser();
    await deliver(reader.userId, 2);
    const { nextPageToken } = await service.notifications.listNotifications({ pageSize: 1 }, reader.as);
    expect(await kindAndReason(service.notifications.listNotifications({ pageSize: -1 }, reader.as))).toBe(
      'invalid_argument/INVALID_FIELD',
    );
    const stolen = service.notifications.listNotifications({ pageSize: 1, pageToken: nextPageToken }, user.as);
    expect(await refused(stolen)).toEqual({ kind: 'invalid_argument', reason: 'PAGE_TOKEN_INVALID' });
  });

  it('needs credentials', async () => {
    expect(await kindAndReason(service.notifications.listNotifications({}))).toBe(
      'unauthenticated/CREDENTIALS_MISSING',
    );
  });
});

describe('without its database', () => {
  it('says so instead of answering an empty list', async () => {
    const other = await startScheduler();
    const reader = await other.newUser();
    await other.cutDatabase();
    expect(await kindAndReason(other.notifications.listNotifications({}, reader.as))).toBe(
      'unavailable/DATABASE_UNAVAILABLE',
    );
    await waitUntil(async () => (await fetch(`http://127.0.0.1:${other.app.httpPort}/readyz`)).status, 503);
    await other.stop();
  });
});
