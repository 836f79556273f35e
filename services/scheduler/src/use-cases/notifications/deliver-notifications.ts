import { crashPoint } from '#libs/runtime';
import { NotificationChannel, type NotificationSettings } from '#contract/users/v1/users';
import { NotificationKind } from '#contract/scheduler/v1/notifications';
import type { SchedulerDeps } from '../../deps.ts';
import type { PendingNotification } from '../../domain/notifications/pending.reader.ts';
import {
  planDelivery,
  type DeliveryPlan,
  type LockedNotification,
  type MailReadiness,
  type Recipient,
} from '../../domain/notifications/delivery-plan.ts';
import type { DeliveryRepository } from '../../domain/notifications/delivery.repository.ts';
import type { Channel } from '../../domain/notifications/notification.columns.ts';
import { isStale, readerKinds } from '../../domain/notifications/staleness.ts';

type Deps = Pick<
  SchedulerDeps,
  'uow' | 'readPending' | 'tasks' | 'users' | 'mail' | 'metrics' | 'logger' | 'digest' | 'notifyDispatcher'
>;

export interface DeliverInput {
  notificationIds: string[];
  /** How often this has been tried, this time included. */
  attempts: number;
}

/**
 * Delivers what is still true, on the ways that its recipients want, and drops what is not. Doing it twice has no further
 * effect. Earlier pending changes of the same task are delivered too, so that changes arrive in their order.
 */
export async function deliverNotifications(deps: Deps, { notificationIds, attempts }: DeliverInput): Promise<void> {
  const { uow, readPending, digest, logger } = deps;
  const pending = await readPending.pending(notificationIds);
  const waiting = new Set(pending.map(({ id }) => id));
  const repeated = notificationIds.filter((id) => !waiting.has(id)).length;
  if (repeated > 0) logger.info({ count: repeated }, 'notifications had been completed before');
  if (pending.length === 0) return;
  const [staleIds, wishesOf] = await Promise.all([findStale(deps, pending), findWishes(deps, pending)]);

  crashPoint('deliver.before-record');
  const plan = await uow.run(async ({ deliveries, mails }) => {
    const rows = await deliveries.lock(pending.map(({ id }) => id).sort());
    const recipientOf = await gatherRecipients(deliveries, rows, { wishesOf, digest });
    const decided = planDelivery({ rows, staleIds, recipientOf, digestThreshold: digest.threshold });
    await deliveries.record(decided, { attempts, digestQuietMs: digest.quietMs });
    await mails.queue(decided.mailedIds, digest.quietMs);
    const grownIds = decided.grown.map(({ digestId }) => digestId);
    await mails.postponeDigests(grownIds, digest.quietMs);
    crashPoint('deliver.before-commit');
    return decided;
  });
  crashPoint('deliver.after-commit');
  deps.metrics.completed(count(plan));
  if (plan.webhookDeliveries.length > 0 || plan.mailedIds.length > 0) deps.notifyDispatcher();
}

async function findStale({ tasks }: Deps, pending: PendingNotification[]): Promise<Set<string>> {
  const ofReaders = pending.filter(({ kind }) => readerKinds.includes(kind));
  const [states, mayRead] = await Promise.all([
    tasks.states([...new Set(pending.flatMap(({ taskId }) => taskId ?? []))]),
    tasks.mayRead(ofReaders.map(toReaderCheck)),
  ]);
  const readable = new Set(ofReaders.filter((_, index) => mayRead[index]).map(({ id }) => id));
  return new Set(
    pending.filter((each) => isStale(each, states.get(each.taskId ?? ''), readable.has(each.id))).map(({ id }) => id),
  );
}

const toReaderCheck = ({ taskId, recipientId, commentId }: PendingNotification) => ({
  taskId: taskId ?? '',
  userId: recipientId,
  commentId: commentId ?? '',
});

const channels: ReadonlyMap<NotificationChannel, Channel> = new Map([
  [NotificationChannel.INBOX, 'inbox'],
  [NotificationChannel.EMAIL, 'email'],
  [NotificationChannel.WEBHOOK, 'webhook'],
]);

/** What a recipient wants. */
type Wishes = Pick<Recipient, 'channels' | 'mail'>;

/** Users without a profile have chosen nothing and get the inbox. */
function toChannels(settings: NotificationSettings | undefined): ReadonlySet<Channel> {
  if (settings === undefined) return new Set(['inbox']);
  const wanted = settings.channels.flatMap((channel) => channels.get(channel) ?? []);
  // No webhook is called for a disabled account, and no mail sent. Its inbox has it when the account is back.
  return new Set(settings.enabled ? wanted : wanted.filter((channel) => channel !== 'webhook'));
}

function toMailReadiness(settings: NotificationSettings | undefined, mailsOn: boolean): MailReadiness {
  if (!mailsOn) return 'off';
  if (settings?.enabled !== true) return 'disabled';
  return settings.emailVerified ? 'ready' : 'unverified';
}

async function findWishes(
  { users, mail }: Deps,
  pending: PendingNotification[],
): Promise<(recipientId: string) => Wishes> {
  const found = await users.settings(pending.map(({ recipientId }) => recipientId));
  return (recipientId) => {
    const settings = found.get(recipientId);
    return { channels: toChannels(settings), mail: toMailReadiness(settings, mail !== undefined) };
  };
}

interface Known extends Pick<SchedulerDeps, 'digest'> {
  wishesOf: (recipientId: string) => Wishes;
}

async function gatherRecipients(
  deliveries: DeliveryRepository,
  rows: LockedNotification[],
  { wishesOf, digest }: Known,
): Promise<(recipientId: string) => Recipient> {
  const recipientIds = [...new Set(rows.map(({ recipientId }) => recipientId))];
  const ofOverdue = [
    ...new Set(rows.filter(({ kind }) => kind === NotificationKind.OVERDUE).map(({ recipientId }) => recipientId)),
  ];
  const webhooks = await deliveries.subscriptions(recipientIds);
  const digests = new Map(
    (await deliveries.digestStates(ofOverdue, digest)).map((state) => [state.recipientId, state]),
  );
  return (recipientId) => ({
    ...wishesOf(recipientId),
    webhooks: webhooks.get(recipientId) ?? [],
    overdueWaiting: digests.get(recipientId)?.overdueWaiting ?? 0,
    openDigestId: digests.get(recipientId)?.openDigestId,
  });
}

function count({ outcomes }: DeliveryPlan): Record<'delivered' | 'muted' | 'stale' | 'digested', number> {
  const counts = { delivered: 0, muted: 0, stale: 0, digested: 0 };
  for (const { state, digestId } of outcomes) {
    counts[state] += 1;
    if (digestId !== undefined) counts.digested += 1;
  }
  return counts;
}
