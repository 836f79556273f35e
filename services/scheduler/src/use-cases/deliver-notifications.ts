import { crashPoint } from '#libs/runtime';
import { NotificationChannel, type NotificationSettings } from '#contract/users/v1/users';
import { NotificationKind } from '#contract/scheduler/v1/notifications';
import type { PendingNotification, SchedulerDeps } from '../deps.ts';
import { planDelivery, type DeliveryPlan, type LockedNotification, type Recipient } from '../domain/delivery-plan.ts';
import type { DeliveryRepository } from '../domain/delivery.repository.ts';
import type { Channel } from '../domain/notification.entity.ts';
import { isStale } from '../domain/staleness.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'read' | 'tasks' | 'users' | 'metrics' | 'logger' | 'digest' | 'wakeDispatch'>;

export interface DeliverInput {
  notificationIds: string[];
  /** How often this has been tried, this time included. */
  attempts: number;
}

/**
 * Delivers what is still true, on the ways that its recipients want, and drops what is not. Doing it twice has no further
 * effect. What has to be told of a task before comes along, so that nobody hears of two changes the wrong way round.
 */
export async function deliverNotifications(deps: Deps, { notificationIds, attempts }: DeliverInput): Promise<void> {
  const { uow, read, digest, logger } = deps;
  const pending = await read.pending(notificationIds);
  const waiting = new Set(pending.map(({ id }) => id));
  const repeated = notificationIds.filter((id) => !waiting.has(id)).length;
  if (repeated > 0) logger.info({ count: repeated }, 'notifications had been settled before');
  if (pending.length === 0) return;
  const [staleIds, channelsOf] = await Promise.all([findStale(deps, pending), findChannels(deps, pending)]);

  crashPoint('deliver.before-record');
  const plan = await uow.run(async ({ deliveries }) => {
    const rows = await deliveries.lock(pending.map(({ id }) => id).sort());
    const recipientOf = await gatherRecipients(deliveries, rows, { channelsOf, digest });
    const decided = planDelivery({ rows, staleIds, recipientOf, digestThreshold: digest.threshold });
    await deliveries.carryOut(decided, { attempts, digestQuietMs: digest.quietMs });
    crashPoint('deliver.before-commit');
    return decided;
  });
  crashPoint('deliver.after-commit');
  deps.metrics.settled(count(plan));
  if (plan.webhookDeliveries.length > 0) deps.wakeDispatch();
}

async function findStale({ tasks }: Deps, pending: PendingNotification[]): Promise<Set<string>> {
  const states = await tasks.states([...new Set(pending.map(({ taskId }) => taskId))]);
  return new Set(pending.filter((notification) => isStale(notification, states.get(notification.taskId))).map(({ id }) => id));
}

const channels: ReadonlyMap<NotificationChannel, Channel> = new Map([
  [NotificationChannel.INBOX, 'inbox'],
  [NotificationChannel.EMAIL, 'email'],
  [NotificationChannel.WEBHOOK, 'webhook'],
]);

/** Whose profile has not arrived yet has not chosen anything: the inbox. */
function toChannels(settings: NotificationSettings | undefined): ReadonlySet<Channel> {
  if (settings === undefined) return new Set(['inbox']);
  return new Set(settings.channels.flatMap((channel) => channels.get(channel) ?? []));
}

async function findChannels({ users }: Deps, pending: PendingNotification[]): Promise<(recipientId: string) => ReadonlySet<Channel>> {
  const settings = await users.settings(pending.map(({ recipientId }) => recipientId));
  return (recipientId) => toChannels(settings.get(recipientId));
}

interface Known extends Pick<SchedulerDeps, 'digest'> {
  channelsOf: (recipientId: string) => ReadonlySet<Channel>;
}

async function gatherRecipients(deliveries: DeliveryRepository, rows: LockedNotification[], { channelsOf, digest }: Known): Promise<(recipientId: string) => Recipient> {
  const recipientIds = [...new Set(rows.map(({ recipientId }) => recipientId))];
  const ofOverdue = [...new Set(rows.filter(({ kind }) => kind === NotificationKind.OVERDUE).map(({ recipientId }) => recipientId))];
  const webhooks = await deliveries.subscriptions(recipientIds);
  const digests = new Map((await deliveries.digestStates(ofOverdue, digest)).map((state) => [state.recipientId, state]));
  return (recipientId) => ({
    channels: channelsOf(recipientId),
    webhooks: webhooks.get(recipientId) ?? [],
    overdueWaiting: digests.get(recipientId)?.overdueWaiting ?? 0,
    openDigestId: digests.get(recipientId)?.openDigestId,
  });
}

function count({ settlements }: DeliveryPlan): Record<'delivered' | 'muted' | 'stale' | 'digested', number> {
  const counts = { delivered: 0, muted: 0, stale: 0, digested: 0 };
  for (const { state, digestId } of settlements) {
    counts[state] += 1;
    if (digestId !== undefined) counts.digested += 1;
  }
  return counts;
}
