import { NotificationKind } from '#contract/scheduler/v1/notifications';
import type { Channel, ChannelOutcome, NotificationState, NotificationValues } from './notification.columns.ts';

/** A pending notification that its job has locked. */
export interface LockedNotification extends Pick<
  NotificationValues,
  'id' | 'recipientId' | 'kind' | 'taskId' | 'taskVersion' | 'eventId'
> {
  /** A newer change of the task was delivered to the recipient before. */
  superseded: boolean;
}

/** ready: mails reach them. off: this server sends none. disabled: the account is. */
export type MailReadiness = 'ready' | 'off' | 'unverified' | 'disabled';

/** A recipient at the moment of a delivery. */
export interface Recipient {
  channels: ReadonlySet<Channel>;
  mail: MailReadiness;
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
export interface NotificationOutcome {
  id: string;
  state: Exclude<NotificationState, 'pending' | 'dead'>;
  inInbox: boolean;
  digestId: string | undefined;
  /** How many it represents, when it begins a digest; otherwise 0. */
  digestSize: number;
  channelOutcomes: { channel: Channel; outcome: ChannelOutcome }[];
}

/** A message for one webhook. */
export interface NewWebhookDelivery {
  webhookId: string;
  notificationId: string;
  /** The kind for the receiver: that of the digest for its first member. */
  kind: NotificationKind;
  /** Undefined for a digest, which is about many. */
  task: { id: string | null; version: bigint } | undefined;
  eventId: bigint | null;
}

export interface DeliveryPlan {
  outcomes: NotificationOutcome[];
  webhookDeliveries: NewWebhookDelivery[];
  /** The notifications that get a mail. */
  mailedIds: string[];
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

/** Decides the outcome of each notification; reads and writes nothing. */
export function planDelivery({ rows, staleIds, recipientOf, digestThreshold }: Situation): DeliveryPlan {
  const plan: DeliveryPlan = { outcomes: [], webhookDeliveries: [], mailedIds: [], grown: [] };
  const overdue = new Map<string, LockedNotification[]>();
  for (const row of rows) {
    const recipient = recipientOf(row.recipientId);
    if (staleIds.has(row.id) || row.superseded) plan.outcomes.push(stale(row));
    else if (row.kind === NotificationKind.OVERDUE && isDigested(recipient, digestThreshold))
      append(overdue, row.recipientId, row);
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

/** Neither in the inbox nor in a digest. */
const elsewhere = { inInbox: false, digestId: undefined, digestSize: 0 } as const;

function stale({ id }: LockedNotification): NotificationOutcome {
  return { id, state: 'stale', ...elsewhere, channelOutcomes: [{ channel: 'inbox', outcome: 'stale' }] };
}

/** A webhook for overdue tasks also gets digests. */
const impliedBy = (kind: NotificationKind): NotificationKind =>
  kind === NotificationKind.OVERDUE_DIGEST ? NotificationKind.OVERDUE : kind;

const wants = ({ channels, webhooks }: Recipient, kind: NotificationKind): Subscription[] =>
  channels.has('webhook')
    ? webhooks.filter(({ kinds }) => kinds.length === 0 || kinds.includes(kind) || kinds.includes(impliedBy(kind)))
    : [];

/** Whoever wants mails that do not reach them yet finds in the inbox what those would tell. */
const takesInbox = ({ channels, mail }: Recipient): boolean =>
  channels.has('inbox') || (channels.has('email') && mail === 'unverified');

const getsMail = ({ channels, mail }: Recipient): boolean => channels.has('email') && mail === 'ready';

const mailOutcomes: Record<MailReadiness, ChannelOutcome> = {
  ready: 'queued',
  off: 'unsupported',
  unverified: 'unverified',
  disabled: 'muted',
};

/** The outcome on each channel that the recipient uses or has turned off. */
function outcomesOf(
  recipient: Recipient,
  { inbox, queued }: { inbox: ChannelOutcome; queued: boolean },
): NotificationOutcome['channelOutcomes'] {
  const { channels, webhooks, mail } = recipient;
  const channelOutcomes: NotificationOutcome['channelOutcomes'] = [
    { channel: 'inbox', outcome: takesInbox(recipient) ? inbox : 'muted' },
  ];
  if (queued) channelOutcomes.push({ channel: 'webhook', outcome: 'queued' });
  else if (webhooks.length > 0 && !channels.has('webhook'))
    channelOutcomes.push({ channel: 'webhook', outcome: 'muted' });
  if (channels.has('email')) channelOutcomes.push({ channel: 'email', outcome: mailOutcomes[mail] });
  return channelOutcomes;
}

function deliver(plan: DeliveryPlan, row: LockedNotification, recipient: Recipient): void {
  const subscriptions = wants(recipient, row.kind);
  const inInbox = takesInbox(recipient);
  const isMailed = getsMail(recipient);
  if (isMailed) plan.mailedIds.push(row.id);
  plan.outcomes.push({
    id: row.id,
    state: inInbox || isMailed || subscriptions.length > 0 ? 'delivered' : 'muted',
    ...elsewhere,
    inInbox,
    channelOutcomes: outcomesOf(recipient, { inbox: 'delivered', queued: subscriptions.length > 0 }),
  });
  for (const { webhookId } of subscriptions) {
    plan.webhookDeliveries.push({
      webhookId,
      notificationId: row.id,
      kind: row.kind,
      task: { id: row.taskId, version: row.taskVersion },
      eventId: row.eventId,
    });
  }
}

/** The first of a group represents all of it, unless an open digest takes them in. */
function digest(plan: DeliveryPlan, group: readonly LockedNotification[], recipient: Recipient): void {
  const subscriptions = wants(recipient, NotificationKind.OVERDUE_DIGEST);
  const [first] = group;
  if (first === undefined) return;
  const channelOutcomes = outcomesOf(recipient, { inbox: 'digested', queued: subscriptions.length > 0 });
  if (!takesInbox(recipient) && !getsMail(recipient) && subscriptions.length === 0) {
    for (const { id } of group) plan.outcomes.push({ id, state: 'muted', ...elsewhere, channelOutcomes });
    return;
  }
  const member: Omit<NotificationOutcome, 'id'> = {
    state: 'delivered',
    ...elsewhere,
    digestId: recipient.openDigestId ?? first.id,
    channelOutcomes,
  };
  plan.outcomes.push(...group.map(({ id }) => ({ id, ...member })));
  if (recipient.openDigestId !== undefined) {
    plan.grown.push({ digestId: recipient.openDigestId, by: group.length });
    return;
  }
  const representative = {
    id: first.id,
    ...member,
    inInbox: takesInbox(recipient),
    digestSize: group.length,
  };
  plan.outcomes = plan.outcomes.map((outcome) => (outcome.id === first.id ? representative : outcome));
  if (getsMail(recipient)) plan.mailedIds.push(first.id);
  plan.webhookDeliveries.push(...subscriptions.map(({ webhookId }) => toDigestDelivery(webhookId, first)));
}

function toDigestDelivery(webhookId: string, { id, eventId }: LockedNotification): NewWebhookDelivery {
  return { webhookId, notificationId: id, kind: NotificationKind.OVERDUE_DIGEST, task: undefined, eventId };
}
