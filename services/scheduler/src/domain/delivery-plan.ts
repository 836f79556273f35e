import { NotificationKind } from '#contract/scheduler/v1/notifications';
import type { Channel, ChannelOutcome, NotificationState } from './notification.entity.ts';

/** A pending notification that its job has locked. */
export interface LockedNotification {
  id: string;
  recipientId: string;
  kind: NotificationKind;
  taskId: string;
  taskVersion: bigint;
  eventId: bigint;
  /** The recipient has been told of a newer change of the task already. */
  superseded: boolean;
}

/** What is known of a recipient at the moment of a delivery. */
export interface Recipient {
  channels: ReadonlySet<Channel>;
  webhooks: readonly Subscription[];
  /** How many overdue notifications wait for delivery, those of this job included. */
  overdueWaiting: number;
  /** The digest that still takes more. */
  openDigestId: string | undefined;
}

/** A webhook as far as it decides what it is sent. */
export interface Subscription {
  webhookId: string;
  /** Empty = all. */
  kinds: readonly NotificationKind[];
}

/** How a notification ends. */
export interface Settlement {
  id: string;
  state: Exclude<NotificationState, 'pending' | 'dead'>;
  inInbox: boolean;
  digestId: string | undefined;
  /** How many it stands for, when it begins a digest; otherwise 0. */
  digestSize: number;
  outcomes: { channel: Channel; outcome: ChannelOutcome }[];
}

/** A message for one webhook. */
export interface NewWebhookDelivery {
  webhookId: string;
  notificationId: string;
  /** What its kind is for the receiver. */
  kind: NotificationKind;
  /** Undefined for a digest, which is about many. */
  task: { id: string; version: bigint } | undefined;
  eventId: bigint;
}

export interface DeliveryPlan {
  settlements: Settlement[];
  webhookDeliveries: NewWebhookDelivery[];
  /** Digests of earlier jobs that take more, and how many. */
  grown: { digestId: string; by: number }[];
}

interface Situation {
  rows: readonly LockedNotification[];
  staleIds: ReadonlySet<string>;
  recipientOf: (recipientId: string) => Recipient;
  /** More overdue notifications than this at once become one message. */
  digestThreshold: number;
}

/** Decides what becomes of each notification; nothing is read or written here. */
export function planDelivery({ rows, staleIds, recipientOf, digestThreshold }: Situation): DeliveryPlan {
  const plan: DeliveryPlan = { settlements: [], webhookDeliveries: [], grown: [] };
  const overdue = new Map<string, LockedNotification[]>();
  for (const row of rows) {
    const recipient = recipientOf(row.recipientId);
    if (staleIds.has(row.id) || row.superseded) plan.settlements.push(stale(row));
    else if (row.kind === NotificationKind.OVERDUE && isDigested(recipient, digestThreshold)) append(overdue, row.recipientId, row);
    else deliver(plan, row, recipient);
  }
  for (const [recipientId, group] of overdue) digest(plan, group, recipientOf(recipientId));
  return plan;
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  lists.set(key, [...(lists.get(key) ?? []), value]);
}

function isDigested({ overdueWaiting, openDigestId }: Recipient, threshold: number): boolean {
  return openDigestId !== undefined || overdueWaiting > threshold;
}

function stale({ id }: LockedNotification): Settlement {
  return { id, state: 'stale', inInbox: false, digestId: undefined, digestSize: 0, outcomes: [{ channel: 'inbox', outcome: 'stale' }] };
}

/** Whoever wants overdue tasks also wants to hear of many at once. */
const impliedBy = (kind: NotificationKind): NotificationKind => (kind === NotificationKind.OVERDUE_DIGEST ? NotificationKind.OVERDUE : kind);

const wants = ({ channels, webhooks }: Recipient, kind: NotificationKind): Subscription[] =>
  channels.has('webhook') ? webhooks.filter(({ kinds }) => kinds.length === 0 || kinds.includes(kind) || kinds.includes(impliedBy(kind))) : [];

/** What is told of each way: only ways that the recipient has, or has turned off. */
function outcomesOf({ channels, webhooks }: Recipient, { inbox, queued }: { inbox: ChannelOutcome; queued: boolean }): Settlement['outcomes'] {
  const outcomes: Settlement['outcomes'] = [{ channel: 'inbox', outcome: channels.has('inbox') ? inbox : 'muted' }];
  if (queued) outcomes.push({ channel: 'webhook', outcome: 'queued' });
  else if (webhooks.length > 0 && !channels.has('webhook')) outcomes.push({ channel: 'webhook', outcome: 'muted' });
  if (channels.has('email')) outcomes.push({ channel: 'email', outcome: 'unsupported' });
  return outcomes;
}

function deliver(plan: DeliveryPlan, row: LockedNotification, recipient: Recipient): void {
  const subscriptions = wants(recipient, row.kind);
  const inInbox = recipient.channels.has('inbox');
  plan.settlements.push({
    id: row.id,
    state: inInbox || subscriptions.length > 0 ? 'delivered' : 'muted',
    inInbox,
    digestId: undefined,
    digestSize: 0,
    outcomes: outcomesOf(recipient, { inbox: 'delivered', queued: subscriptions.length > 0 }),
  });
  for (const { webhookId } of subscriptions) {
    plan.webhookDeliveries.push({ webhookId, notificationId: row.id, kind: row.kind, task: { id: row.taskId, version: row.taskVersion }, eventId: row.eventId });
  }
}

/** The first of a group stands for all of it, unless a digest is open that takes them in. */
function digest(plan: DeliveryPlan, group: readonly LockedNotification[], recipient: Recipient): void {
  const subscriptions = wants(recipient, NotificationKind.OVERDUE_DIGEST);
  const [first] = group;
  if (first === undefined) return;
  const outcomes = outcomesOf(recipient, { inbox: 'digested', queued: subscriptions.length > 0 });
  if (!recipient.channels.has('inbox') && subscriptions.length === 0) {
    plan.settlements.push(...group.map(({ id }): Settlement => ({ id, state: 'muted', inInbox: false, digestId: undefined, digestSize: 0, outcomes })));
    return;
  }
  const member: Omit<Settlement, 'id'> = { state: 'delivered', inInbox: false, digestId: recipient.openDigestId ?? first.id, digestSize: 0, outcomes };
  plan.settlements.push(...group.map(({ id }) => ({ id, ...member })));
  if (recipient.openDigestId !== undefined) {
    plan.grown.push({ digestId: recipient.openDigestId, by: group.length });
    return;
  }
  const stands = { id: first.id, ...member, inInbox: recipient.channels.has('inbox'), digestSize: group.length };
  plan.settlements = plan.settlements.map((settlement) => (settlement.id === first.id ? stands : settlement));
  plan.webhookDeliveries.push(...subscriptions.map(({ webhookId }) => toDigestDelivery(webhookId, first)));
}

function toDigestDelivery(webhookId: string, { id, eventId }: LockedNotification): NewWebhookDelivery {
  return { webhookId, notificationId: id, kind: NotificationKind.OVERDUE_DIGEST, task: undefined, eventId };
}
