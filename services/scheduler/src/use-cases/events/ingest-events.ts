import type { TaskEvent } from '#contract/tasks/v1/tasks';
import { crashPoint } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { toNotifications } from '../../domain/notifications/notification-rules.ts';
import { toDeliveryJob } from '../../domain/notifications/delivery-batches.ts';
import type { JobMaker, NotificationRepository } from '../../domain/notifications/notification.repository.ts';
import { isForgotten, type Retention } from '../../domain/events/retention.ts';
import type { QueuePort } from '../../domain/jobs/queue.port.ts';

type Deps = Pick<SchedulerDeps, 'newId' | 'clock' | 'logger' | 'claimedJobs'> & {
  retention: Pick<Retention, 'notificationsMs'>;
  queue: Pick<QueuePort, 'isReachable' | 'newJobId'>;
};

/**
 * Stores the notifications of the events, with the ids of the jobs that will deliver them, in the transaction that moves the
 * cursor. Events older than the retention are ignored, so that reading the log again from its beginning notifies nobody twice.
 */
export async function ingestEvents(
  deps: Deps,
  events: TaskEvent[],
  { notifications }: { notifications: NotificationRepository },
): Promise<void> {
  const { newId, clock, retention, logger } = deps;
  const now = clock.now();
  const current = events.filter(({ createTime }) => !isForgotten(createTime, now, retention));
  if (current.length < events.length)
    logger.warn({ count: events.length - current.length }, 'ignored events that are older than the retention');
  const claimed = await notifications.add(
    current.flatMap((event) => toNotifications(event, newId)),
    jobMaker(deps),
  );
  if (claimed > 0) crashPoint('claim.before-commit.deliver-notifications');
  crashPoint('ingest.before-commit');
}

/** As in `dispatchPending`, nothing is claimed for a queue that is out of reach. */
function jobMaker({ queue, claimedJobs }: Deps): JobMaker | undefined {
  if (!queue.isReachable() || !claimedJobs.hasRoom()) return undefined;
  const claimed: JobMaker['claimed'] = (batches) => {
    crashPoint('claim.after-commit.deliver-notifications');
    claimedJobs.put(batches.map(toDeliveryJob));
  };
  return { newJobId: queue.newJobId, claimed };
}
