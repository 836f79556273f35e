import type { TaskEvent } from '#contract/tasks/v1/tasks';
import { crashPoint } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { toNotifications } from '../domain/intents.ts';
import type { NotificationRepository } from '../domain/notification.repository.ts';
import { isForgotten } from '../domain/retention.ts';

/**
 * Stores what the events mean to people; runs in the transaction that moves the cursor past them. Events that are older than
 * what is kept are let go, so that a log that is read again from its beginning tells nothing twice.
 */
export async function ingestEvents(
  { newId, clock, retention, logger }: Pick<SchedulerDeps, 'newId' | 'clock' | 'retention' | 'logger'>,
  events: TaskEvent[],
  { notifications }: { notifications: NotificationRepository },
): Promise<void> {
  const now = clock.now();
  const current = events.filter(({ createTime }) => !isForgotten(createTime, now, retention));
  if (current.length < events.length) logger.warn({ count: events.length - current.length }, 'events were too old to be told of');
  await notifications.add(current.flatMap((event) => toNotifications(event, newId)));
  crashPoint('ingest.before-commit');
}
