import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { describe, expect, it } from '@jest/globals';
import { planDelivery, type DeliveryPlan, type LockedNotification, type Recipient } from './delivery-plan.ts';

const overdue = (id: string, fields: Partial<LockedNotification> = {}): LockedNotification => ({
  id,
  recipientId: 'ada',
  kind: NotificationKind.OVERDUE,
  taskId: `task ${id}`,
  taskVersion: 3n,
  eventId: 7n,
  superseded: false,
  ...fields,
});
const recipient = (fields: Partial<Recipient> = {}): Recipient => ({
  channels: new Set(['inbox']),
  mail: 'off',
  webhooks: [],
  overdueWaiting: 1,
  openDigestId: undefined,
  ...fields,
});

const plan = (rows: LockedNotification[], ada: Partial<Recipient> = {}, staleIds: string[] = []): DeliveryPlan =>
  planDelivery({ rows, staleIds: new Set(staleIds), recipientOf: () => recipient(ada), digestThreshold: 2 });

const endsOf = ({ outcomes }: DeliveryPlan) => outcomes.map(({ id, state, inInbox }) => [id, state, inInbox]);
const outcomesOf = ({ outcomes: [first] }: DeliveryPlan) =>
  Object.fromEntries((first?.channelOutcomes ?? []).map(({ channel, outcome }) => [channel, outcome]));
const every = { webhookId: 'w', kinds: [] };

describe('a notification', () => {
  it('goes to the inbox alone unless its recipient wants more', () => {
    expect(plan([overdue('a')])).toEqual({
      outcomes: [
        {
          id: 'a',
          state: 'delivered',
          inInbox: true,
          digestId: undefined,
          digestSize: 0,
          channelOutcomes: [{ channel: 'inbox', outcome: 'delivered' }],
        },
      ],
      webhookDeliveries: [],
      mailedIds: [],
      grown: [],
    });
  });

  it('is not delivered on a muted channel, and that is recorded', () => {
    const muted = plan([overdue('a')], { channels: new Set(), webhooks: [every] });
    expect(endsOf(muted)).toEqual([['a', 'muted', false]]);
    expect(outcomesOf(muted)).toEqual({ inbox: 'muted', webhook: 'muted' });
    expect(muted.webhookDeliveries).toEqual([]);
  });

  it('goes to the webhooks that want its kind', () => {
    const other = { webhookId: 'x', kinds: [NotificationKind.ASSIGNED] };
    const sent = plan([overdue('a')], { channels: new Set(['webhook']), webhooks: [every, other] });
    expect(endsOf(sent)).toEqual([['a', 'delivered', false]]);
    expect(outcomesOf(sent)).toEqual({ inbox: 'muted', webhook: 'queued' });
    expect(sent.webhookDeliveries).toEqual([
      {
        webhookId: 'w',
        notificationId: 'a',
        kind: NotificationKind.OVERDUE,
        task: { id: 'task a', version: 3n },
        eventId: 7n,
      },
    ]);
  });

  it('goes out by mail to whom mails reach, and what keeps it from others is recorded', () => {
    const channels = new Set(['email'] as const);
    const sent = plan([overdue('a')], { channels, mail: 'ready' });
    expect([sent.mailedIds, endsOf(sent)]).toEqual([['a'], [['a', 'delivered', false]]]);
    expect(outcomesOf(sent)).toEqual({ inbox: 'muted', email: 'queued' });
    const outcomes = { off: 'unsupported', disabled: 'muted' } as const;
    for (const [mail, email] of Object.entries(outcomes)) {
      const kept = plan([overdue('a')], { channels, mail: mail as keyof typeof outcomes });
      expect([kept.mailedIds, endsOf(kept)]).toEqual([[], [['a', 'muted', false]]]);
      expect(outcomesOf(kept)).toEqual({ inbox: 'muted', email });
    }
  });

  it('is in the inbox in place of a mail until the address is verified, a digest, too', () => {
    const unverified = { channels: new Set(['email'] as const), mail: 'unverified' } as const;
    const kept = plan([overdue('a')], unverified);
    expect([kept.mailedIds, endsOf(kept)]).toEqual([[], [['a', 'delivered', true]]]);
    expect(outcomesOf(kept)).toEqual({ inbox: 'delivered', email: 'unverified' });
    const rows = ['a', 'b', 'c'].map((id) => overdue(id));
    const digested = plan(rows, { ...unverified, overdueWaiting: 3 });
    expect(digested.mailedIds).toEqual([]);
    expect(digested.outcomes[0]).toMatchObject({ id: 'a', inInbox: true, digestSize: 3 });
    expect(outcomesOf(digested)).toEqual({ inbox: 'digested', email: 'unverified' });
  });

  it('is not sent by mail to whom does not want mails', () => {
    expect(plan([overdue('a')], { mail: 'ready' }).mailedIds).toEqual([]);
  });

  it('is dropped when it is stale, or when a newer one was delivered', () => {
    const kind = NotificationKind.STATUS_CHANGED;
    expect(endsOf(plan([overdue('a'), overdue('b', { kind, superseded: true })], {}, ['a']))).toEqual([
      ['a', 'stale', false],
      ['b', 'stale', false],
    ]);
  });
});

describe('a digest', () => {
  it('is one message for more overdue tasks than the threshold', () => {
    const digested = plan(
      ['a', 'b', 'c'].map((id) => overdue(id)),
      { overdueWaiting: 3, channels: new Set(['inbox', 'webhook']), webhooks: [every] },
    );
    expect(endsOf(digested)).toEqual([
      ['a', 'delivered', true],
      ['b', 'delivered', false],
      ['c', 'delivered', false],
    ]);
    expect(digested.outcomes.map(({ digestId, digestSize }) => [digestId, digestSize])).toEqual([
      ['a', 3],
      ['a', 0],
      ['a', 0],
    ]);
    expect(outcomesOf(digested)).toEqual({ inbox: 'digested', webhook: 'queued' });
    expect(digested.webhookDeliveries).toEqual([
      { webhookId: 'w', notificationId: 'a', kind: NotificationKind.OVERDUE_DIGEST, task: undefined, eventId: 7n },
    ]);
  });

  it('is one mail, which a digest that grows does not make two', () => {
    const channels = new Set(['email'] as const);
    const rows = ['a', 'b', 'c'].map((id) => overdue(id));
    expect(plan(rows, { channels, mail: 'ready', overdueWaiting: 3 }).mailedIds).toEqual(['a']);
    const joined = plan([overdue('d')], { channels, mail: 'ready', openDigestId: 'a' });
    expect([joined.mailedIds, joined.grown]).toEqual([[], [{ digestId: 'a', by: 1 }]]);
  });

  it("begins with one job's part of many pending tasks, and takes in more while it is open", () => {
    expect(plan([overdue('a')], { overdueWaiting: 30 }).outcomes).toMatchObject([{ digestId: 'a', digestSize: 1 }]);
    const joined = plan([overdue('b')], {
      openDigestId: 'a',
      channels: new Set(['inbox', 'webhook']),
      webhooks: [every],
    });
    expect(joined).toMatchObject({
      outcomes: [{ id: 'b', inInbox: false, digestId: 'a' }],
      webhookDeliveries: [],
      grown: [{ digestId: 'a', by: 1 }],
    });
  });

  it('holds nothing but overdue tasks', () => {
    expect(endsOf(plan([overdue('a', { kind: NotificationKind.ASSIGNED })], { overdueWaiting: 30 }))).toEqual([
      ['a', 'delivered', true],
    ]);
  });

  it('is not made of muted notifications', () => {
    expect(plan([overdue('a'), overdue('b')], { channels: new Set(), overdueWaiting: 30 }).outcomes).toMatchObject([
      { state: 'muted', digestId: undefined, digestSize: 0 },
      { state: 'muted', digestId: undefined, digestSize: 0 },
    ]);
  });
});
