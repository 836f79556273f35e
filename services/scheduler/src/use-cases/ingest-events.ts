import type { TaskEvent } from '#contract/tasks/v1/tasks';
import { crashPoint } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { toNotifications } from '../domain/intents.ts';
import type { NotificationRepository } from '../domain/notification.repository.ts';

/** Stores what the events mean to people; runs in the transaction that moves the cursor past them. */
export async function ingestEvents(
  { newId }: Pick<SchedulerDeps, 'newId'>,
  events: TaskEvent[],
  { notifications }: { notifications: NotificationRepository },
): Promise<void> {
  await notifications.add(events.flatMap((event) => toNotifications(event, newId)));
  crashPoint('ingest.before-commit');
}
