import type { TaskEvent } from '#contract/tasks/v1/tasks';
import { crashPoint } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { toNotifications } from '../domain/intents.ts';
import type { JobMaker, NotificationRepository } from '../domain/notification.repository.ts';
import { isForgotten } from '../domain/retention.ts';

type Deps = Pick<SchedulerDeps, 'newId' | 'clock' | 'retention' | 'logger' | 'queue' | 'claimedJobs'>;

/**
 * Stores what the events mean to people, with the ids of the jobs that will deliver it; runs in the transaction that moves the cursor past them. Events that are older than
 * what is kept are let go, so that a log that is read again from its beginning tells nothing twice.
 */
export async function ingestEvents(
  deps: Deps,
  events: TaskEvent[],
  { notifications }: { notifications: NotificationRepository },
): Promise<void> {
  const { newId, clock, retention, logger } = deps;
  const now = clock.now();
  const current = events.filter(({ createTime }) => !isForgotten(createTime, now, retention));
  if (current.length < events.length) logger.warn({ count: events.length - current.length }, 'events were too old to be told of');
  const claimed = await notifications.add(current.flatMap((event) => toNotifications(event, newId)), jobMaker(deps));
  if (claimed > 0) crashPoint('claim.before-commit');
  crashPoint('ingest.before-commit');
}

/** As in `dispatchPending`, nothing is claimed for a queue that is out of reach. */
function jobMaker({ queue, claimedJobs }: Deps): JobMaker | undefined {
  if (!queue.isReachable() || !claimedJobs.hasRoom()) return undefined;
  const claimed: JobMaker['claimed'] = (batches) => {
    crashPoint('claim.after-commit');
    claimedJobs.put(batches);
  };
  return { newJobId: queue.newJobId, claimed };
}
