import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  NotificationKind,
  type MarkNotificationsReadRequest,
  type Notification,
} from '#contract/scheduler/v1/notifications';
import { invalidFields, kindAndReason, refused } from '#dev/testing';
import type { NotificationValues } from '../src/domain/notifications/notification.columns.ts';
import type { TestUser } from './start-cluster.ts';
import { startScheduler, type TestScheduler } from './start-scheduler.ts';
import { watchInbox } from './watching.ts';
import { addNotification } from './rows.ts';

let user: TestUser;
const service = await startScheduler();
afterAll(service.stop);

/** A notification as a delivery leaves it, with a place in the feed of inboxes. */
async function deliver({ userId }: TestUser, fields: Partial<NotificationValues> = {}): Promise<string> {
  const delivered = { state: 'delivered', deliverTime: new Date(), taskVersion: 4n } as const;
  const id = await addNotification(service, { recipientId: userId, ...delivered, ...fields });
  await service.sql(
    'update notifications set feed_transaction = pg_current_xact_id(), feed_number = 1 where id = $1 and in_inbox',
    [id],
  );
  return id;
}

const list = async (
  request: Parameters<TestScheduler['notifications']['listNotifications']>[0] = {},
  { as } = user,
): Promise<Notification[]> => (await service.notifications.listNotifications(request, as)).notifications;
const idsOf = (notifications: Notification[]): string[] => notifications.map(({ id }) => id);
const mark = (request: Parameters<TestScheduler['notifications']['markNotificationsRead']>[0], { as } = user) =>
  service.notifications.markNotificationsRead(request, as);
const unread = async ({ as } = user): Promise<number> =>
  (await service.notifications.getUnreadCount({}, as)).unreadCount;

const some = (...notificationIds: string[]): Partial<MarkNotificationsReadRequest> => ({
  selection: { $case: 'ids', value: { notificationIds } },
});
const all = (deliverEndTime?: Date): Partial<MarkNotificationsReadRequest> => ({
  selection: { $case: 'all', value: { deliverEndTime } },
});

describe('the inbox', () => {
  beforeAll(async () => {
    user = await service.newUser();
  });

  it('is counted and listed by what is unread and by kind', async () => {
    const [a, b, c] = [
      await deliver(user),
      await deliver(user, { kind: NotificationKind.ASSIGNED }),
      await deliver(user, { kind: NotificationKind.STATUS_CHANGED }),
    ];
    await deliver(await service.newUser());
    expect(await unread()).toBe(3);
    expect(await mark(some(b))).toEqual({ markedCount: 1, incomplete: false });
    expect(await unread()).toBe(2);
    expect(idsOf(await list({ unreadOnly: true }))).toEqual([c, a]);
    expect(idsOf(await list({ kinds: [NotificationKind.ASSIGNED, NotificationKind.OVERDUE] }))).toEqual([b, a]);
    expect(idsOf(await list({ kinds: [NotificationKind.ASSIGNED], unreadOnly: true }))).toEqual([]);
    expect((await list()).map(({ id, readTime, taskVersion }) => [id, readTime !== undefined, taskVersion])).toEqual([
      [c, false, 4n],
      [b, true, 4n],
      [a, false, 4n],
    ]);
  });

  it('is paged with its filter, and a token is good for that filter only', async () => {
    const reader = await service.newUser();
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1)
      ids.unshift(
        await deliver(reader, { kind: index % 2 === 0 ? NotificationKind.ASSIGNED : NotificationKind.OVERDUE }),
      );
    const request = { pageSize: 2, kinds: [NotificationKind.ASSIGNED] };
    const first = await service.notifications.listNotifications(request, reader.as);
    const second = await service.notifications.listNotifications(
      { ...request, pageToken: first.nextPageToken },
      reader.as,
    );
    expect([...idsOf(first.notifications), ...idsOf(second.notifications)]).toEqual([ids[0], ids[2], ids[4]]);
    expect(second.nextPageToken).toBe('');
    const other = service.notifications.listNotifications(
      { pageSize: 2, unreadOnly: true, pageToken: first.nextPageToken },
      reader.as,
    );
    expect(await refused(other)).toEqual({ kind: 'invalid_argument', reason: 'PAGE_TOKEN_INVALID' });
  });

  it('shows a digest as one entry, and its members on request', async () => {
    const reader = await service.newUser();
    const digestId = randomUUID();
    const members = [
      await deliver(reader, { inInbox: false, digestId }),
      await deliver(reader, { inInbox: false, digestId }),
    ];
    const last = await deliver(reader, { digestTaskCount: 3 });
    await service.sql('update notifications set digest_id = $1, id = $1 where id = $2', [digestId, last]);
    expect(await list({}, reader)).toMatchObject([
      { id: digestId, kind: NotificationKind.OVERDUE_DIGEST, digestTaskCount: 3 },
    ]);
    expect(await unread(reader)).toBe(1);
    expect((await list({ kinds: [NotificationKind.OVERDUE] }, reader)).length).toBe(0);
    const all = await list({ digestId }, reader);
    expect(new Set(idsOf(all))).toEqual(new Set([...members, digestId]));
    expect(all.every(({ kind, digestTaskCount }) => kind === NotificationKind.OVERDUE && digestTaskCount === 0)).toBe(
      true,
    );
    const pages = await service.notifications.listNotifications({ digestId, pageSize: 2 }, reader.as);
    expect(await list({ digestId, pageSize: 2, pageToken: pages.nextPageToken }, reader)).toEqual(all.slice(2));
    expect(await list({ digestId }, user)).toEqual([]);
    expect(
      await invalidFields(
        service.notifications.listNotifications(
          { digestId, unreadOnly: true, kinds: [NotificationKind.OVERDUE] },
          reader.as,
        ),
      ),
    ).toEqual(['unread_only', 'kinds']);
  });
});

describe('MarkNotificationsRead', () => {
  it('marks everything before a time, so that nothing unseen is marked', async () => {
    const reader = await service.newUser();
    const seen = await deliver(reader, { deliverTime: new Date('2026-01-01') });
    const unseen = await deliver(reader, { deliverTime: new Date('2026-01-03') });
    expect(await mark(all(new Date('2026-01-03')), reader)).toEqual({
      markedCount: 1,
      incomplete: false,
    });
    expect(idsOf(await list({ unreadOnly: true }, reader))).toEqual([unseen]);
    expect(await mark(all(), reader)).toEqual({ markedCount: 1, incomplete: false });
    expect(await unread(reader)).toBe(0);
    expect(seen).not.toBe('');
  });

  it('ignores notifications of other inboxes', async () => {
    const [reader, other] = [await service.newUser(), await service.newUser()];
    const foreign = await deliver(other);
    expect(await mark(some(foreign, randomUUID()), reader)).toEqual({ markedCount: 0, incomplete: false });
    expect(await unread(other)).toBe(1);
  });

  it('gives the same answer to the same request id', async () => {
    const reader = await service.newUser();
    const id = await deliver(reader);
    const request = { ...some(id), requestId: randomUUID() };
    const answers = await Promise.all([mark(request, reader), mark(request, reader), mark(request, reader)]);
    expect(answers).toEqual(Array.from({ length: 3 }, () => ({ markedCount: 1, incomplete: false })));
    expect(await kindAndReason(mark({ ...request, ...some(randomUUID()) }, reader))).toBe(
      'invalid_argument/REQUEST_ID_REUSED',
    );
  });

  it('names every field that breaks its rule', async () => {
    expect(await invalidFields(mark({}))).toEqual(['selection']);
    expect(await invalidFields(mark({ ...some('x'), requestId: ' ' }))).toEqual([
      'ids.notification_ids[0]',
      'request_id',
    ]);
    expect(await invalidFields(mark(some()))).toEqual(['ids.notification_ids']);
    expect(await invalidFields(mark(some(...Array.from({ length: 501 }, () => randomUUID()))))).toEqual([
      'ids.notification_ids',
    ]);
  });
});

describe('WatchNotifications', () => {
  it('sends deliveries and reads of the own inbox, and continues from a token without loss', async () => {
    const [reader, other] = [await service.newUser(), await service.newUser()];
    const watching = await watchInbox(service, reader);
    const first = await deliver(reader);
    await deliver(other);
    await watching.until(() => watching.notifications().length === 1);
    await mark(some(first), reader);
    await watching.until(() => watching.notifications().length === 2);
    expect(watching.notifications().map(({ id, readTime }) => [id, readTime !== undefined])).toEqual([
      [first, false],
      [first, true],
    ]);
    await watching.stop();

    const missed: string[] = [];
    for (let index = 0; index < 130; index += 1) missed.push(await deliver(reader));
    const again = await watchInbox(service, reader, watching.resumeToken);
    await again.until(() => again.notifications().length === missed.length);
    expect(idsOf(again.notifications())).toEqual(missed);
    await again.stop();
  });

  it('refuses a token that is damaged or belongs to another user', async () => {
    const [reader, other] = [await service.newUser(), await service.newUser()];
    const watching = await watchInbox(service, reader);
    await watching.stop();
    for (const [token, { as }] of [
      [watching.resumeToken, other],
      [`x${watching.resumeToken}`, reader],
      ['x', reader],
    ] as const) {
      const call = service.notifications.watchNotifications({ resumeToken: token }, as).next();
      expect(await refused(call)).toEqual({ kind: 'invalid_argument', reason: 'RESUME_TOKEN_INVALID' });
    }
  });

  it('ends with UNAVAILABLE when the service stops and when the inboxes cannot be read', async () => {
    const stopping = await startScheduler();
    const watching = await watchInbox(stopping, await stopping.newUser());
    const end = refused(watching.until(() => false));
    await stopping.stop();
    expect(await end).toEqual({ kind: 'unavailable', reason: 'SHUTTING_DOWN' });

    const cut = await startScheduler();
    const other = await watchInbox(cut, await cut.newUser());
    const broken = refused(other.until(() => false));
    await cut.cutDatabase();
    expect(await broken).toEqual({ kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' });
    await cut.stop();
  });
});
