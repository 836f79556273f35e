import type { Database } from '#libs/db';
import { createEventBroadcaster, createEventSignal } from '#libs/events';
import type { ServiceBase } from '#libs/service';
import type { SchedulerConfig } from '../../config.ts';
import { createNotificationSource } from './notification-feed.ts';
import type { InboxFeed } from '../../domain/notifications/inbox-feed.ts';
import { inboxRestored } from '../../domain/notifications/inbox.errors.ts';
import { inboxChannel } from './inbox.repository.ts';

const heartbeatMs = 5000;

/** One reader of the inboxes for all watchers of this process. `endWaits` ends its waits, so that the process can stop. */
export function openInboxFeed(
  { logger, parts }: ServiceBase<SchedulerConfig>,
  { reader, credentials }: Database,
): InboxFeed & { endWaits(): void } {
  const signal = createEventSignal({ credentials, channel: inboxChannel, logger });
  parts.add({ name: 'inbox signal', stop: () => signal.stop() });
  const closing = new AbortController();
  const broadcaster = createEventBroadcaster({
    source: createNotificationSource(reader),
    logger,
    wait: (maxMs, abort) => signal.wait(maxMs, AbortSignal.any([abort, closing.signal])),
    audienceOf: ({ streamId: recipientId }) => [recipientId],
    onPruned: () => new Error('nothing is ever missing behind a position in the inboxes'),
    onUnknown: inboxRestored,
    heartbeatMs,
  });
  parts.add({ name: 'inbox broadcaster', stop: broadcaster.stop });
  return { subscribe: broadcaster.subscribe, endWaits: () => closing.abort() };
}
