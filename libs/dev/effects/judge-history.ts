import type { Facts } from './facts.ts';
import { contradiction, each, lost, surplus, unless, type Fault } from './fault.ts';

const same = (before: unknown, after: unknown): boolean => JSON.stringify(before) === JSON.stringify(after);

/** What has been done stays as it was: a worker that comes back late must not do it again. */
export function judgeHistory(before: Facts, after: Facts): Fault[] {
  const events = new Map(after.events.map((event) => [event.id, event]));
  const notifications = new Map(after.notifications.map((notification) => [notification.id, notification]));
  const deliveries = new Map(
    after.deliveries.map((delivery) => [`${delivery.notificationId} ${delivery.channel}`, delivery]),
  );
  const messages = new Map(after.webhookDeliveries.map((message) => [message.id, message]));
  return [
    ...each(before.events, (event) => {
      const now = events.get(event.id);
      if (now === undefined) return [lost(`event ${event.id} is gone`)];
      return unless(same(event, now), contradiction(`event ${event.id} has changed`));
    }),
    ...each(
      before.notifications.filter(({ state }) => state !== 'pending'),
      (notification) => {
        const now = notifications.get(notification.id);
        if (now === undefined) return [lost(`notification ${notification.id} is gone`)];
        if (now.state !== notification.state)
          return [contradiction(`notification ${notification.id} was ${notification.state} and is ${now.state}`)];
        return unless(same(notification, now), surplus(`notification ${notification.id} was delivered a second time`));
      },
    ),
    ...each(before.deliveries, (delivery) => {
      const now = deliveries.get(`${delivery.notificationId} ${delivery.channel}`);
      const what = `the delivery of notification ${delivery.notificationId} by ${delivery.channel}`;
      return unless(same(delivery, now), contradiction(`${what} has changed`));
    }),
    ...each(
      before.webhookDeliveries.filter(({ state }) => state !== 'pending'),
      (message) =>
        unless(
          same(message, messages.get(message.id)),
          surplus(`webhook message ${message.messageId} was taken up again after its end`),
        ),
    ),
  ];
}
