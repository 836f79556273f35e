import type { DeliveryFact, Facts, NotificationFact, ReceivedFact, WebhookDeliveryFact } from './facts.ts';
import { compare, contradiction, each, leaked, lost, surplus, unless, type Fault } from './fault.ts';

/** What the record of the inbox says when a notification has ended so. */
const outcomesOf: Readonly<Record<string, readonly string[]>> = {
  delivered: ['delivered', 'digested', 'muted'],
  muted: ['muted'],
  stale: ['stale'],
};

function judgeNotification({ id, state, eventId }: NotificationFact, records: readonly DeliveryFact[]): Fault[] {
  const allowed = outcomesOf[state];
  if (allowed === undefined) return [lost(`notification ${id} has ended as ${state}`)];
  // What is about no event is delivered where it is made.
  if (eventId === '') return [];
  const inbox = records.filter(({ channel }) => channel === 'inbox');
  const wrong = inbox.filter(({ outcome }) => !allowed.includes(outcome));
  return [
    ...compare(`records of the inbox for notification ${id} (${state})`, inbox.length, { least: 1, most: 1 }),
    ...wrong.map(({ outcome }) => contradiction(`notification ${id} is ${state}, and its record says ${outcome}`)),
  ];
}

function judgeMessages({ notifications, webhookOwners, webhookDeliveries, deliveries }: Facts): Fault[] {
  const queued = new Set(
    deliveries
      .filter(({ channel, outcome }) => channel === 'webhook' && outcome === 'queued')
      .map(({ notificationId }) => notificationId),
  );
  const byNotification = Map.groupBy(webhookDeliveries, ({ notificationId }) => notificationId);
  const owners = new Set(webhookOwners);
  const byId = new Map(notifications.map((notification) => [notification.id, notification]));
  return [
    ...each(queued, (id) => {
      const { recipientId = '', digestId = '' } = byId.get(id) ?? {};
      // A digest's message stands for all that it took in.
      const count = byNotification.get(digestId === '' ? id : digestId)?.length ?? 0;
      return owners.has(recipientId)
        ? compare(`webhook messages of notification ${id}`, count, { least: 1, most: Infinity })
        : [];
    }),
    ...each(webhookDeliveries, ({ id, notificationId, ownerId, webhookId }) => {
      const what = `webhook message ${id}`;
      const notification = byId.get(notificationId);
      if (notification === undefined)
        return [surplus(`${what} is of notification ${notificationId}, which does not exist`)];
      if (notification.recipientId !== ownerId)
        return [leaked(`${what} goes to ${ownerId}, and its notification to ${notification.recipientId}`)];
      if (!queued.has(notificationId))
        return [contradiction(`${what} is of notification ${notificationId}, whose record knows of none`)];
      const twins = byNotification.get(notificationId)?.filter((other) => other.webhookId === webhookId).length ?? 0;
      const where = `messages of notification ${notificationId} for webhook ${webhookId}`;
      return compare(where, twins, { least: 1, most: 1 });
    }),
  ];
}

/** At least once for what counts as delivered, never more often than it was tried, and always the same. */
function judgeReceipts(messages: readonly WebhookDeliveryFact[], received: readonly ReceivedFact[]): Fault[] {
  const arrivals = Map.groupBy(received, ({ messageId }) => messageId);
  const known = new Map(messages.map((message) => [message.messageId, message]));
  return [
    ...each(messages, ({ messageId, state, attempts }) => {
      const count = arrivals.get(messageId)?.length ?? 0;
      return compare(`arrivals of webhook message ${messageId} (${state}, ${attempts} attempts)`, count, {
        least: state === 'delivered' ? 1 : 0,
        most: attempts,
      });
    }),
    ...each(arrivals, ([messageId, copies]) => {
      const message = known.get(messageId);
      if (message === undefined) return [surplus(`webhook message ${messageId} arrived, and nothing is on record`)];
      const what = `webhook message ${messageId} arrived`;
      return [
        ...each(copies, ({ ownerId }) =>
          unless(ownerId === message.ownerId, leaked(`${what} at ${ownerId} instead of ${message.ownerId}`)),
        ),
        ...unless(new Set(copies.map(({ body }) => body)).size === 1, contradiction(`${what} with different contents`)),
      ];
    }),
  ];
}

/** All that was sent out. To be asked once nothing is pending any more. */
export function judgeDeliveries(facts: Facts): Fault[] {
  const byNotification = Map.groupBy(facts.deliveries, ({ notificationId }) => notificationId);
  const known = new Set(facts.notifications.map(({ id }) => id));
  return [
    ...each(facts.notifications, (notification) =>
      judgeNotification(notification, byNotification.get(notification.id) ?? []),
    ),
    ...[...byNotification.keys()]
      .filter((id) => !known.has(id))
      .map((id) => surplus(`a delivery of notification ${id}, which does not exist`)),
    ...judgeMessages(facts),
    ...judgeReceipts(facts.webhookDeliveries, facts.received),
    ...each(facts.webhookDeliveries, ({ id, state }) =>
      unless(state !== 'pending' && state !== 'dead', lost(`webhook message ${id} has ended as ${state}`)),
    ),
  ];
}
