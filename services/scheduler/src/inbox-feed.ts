import type { Database } from '#libs/db';
import { createEventHub, createEventSignal } from '#libs/events';
import type { ServiceBase } from '#libs/grpc';
import type { SchedulerConfig } from './config.ts';
import { createNotificationSource } from './db/notification-feed.ts';
import type { InboxFeed } from './deps.ts';
import { inboxChannel } from './domain/inbox.repository.ts';

const heartbeatMs = 5000;

/** One reader of the inboxes for everybody who watches in this process. `endWaits` lets it go, so that the end is not held up. */
export function openInboxFeed({ config, logger, parts }: ServiceBase<SchedulerConfig>, { reader }: Database): InboxFeed & { endWaits(): void } {
  const signal = createEventSignal({ url: config.databaseUrl, channel: inboxChannel, logger });
  parts.add({ name: 'inbox signal', stop: () => signal.stop() });
  const closing = new AbortController();
  const hub = createEventHub({
    source: createNotificationSource(reader),
    logger,
    wait: (maxMs, abort) => signal.wait(maxMs, AbortSignal.any([abort, closing.signal])),
    audienceOf: ({ streamId: recipientId }) => [recipientId],
    onPruned: () => new Error('nothing is ever missing behind a position in the inboxes'),
    heartbeatMs,
  });
  parts.add({ name: 'inbox hub', stop: hub.stop });
  return { follow: hub.follow, endWaits: () => closing.abort() };
}
