import { TaskEventType, type TaskEvent } from '#contract/tasks/v1/tasks';
import type { CursorRepository } from '#libs/events';
import { crashPoint } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { toNotifications } from '../../domain/notifications/notification-rules.ts';
import { toDeliveryJob } from '../../domain/notifications/delivery-batches.ts';
import type { JobMaker, NotificationRepository } from '../../domain/notifications/notification.repository.ts';
import { toRemovedTask } from '../../domain/notifications/removed-task.ts';
import type { RemovedTaskRepository } from '../../domain/notifications/removed-task.repository.ts';
import { taskEventsCursor } from '../../domain/events/task-events-cursor.ts';
import { isForgotten, type Retention } from '../../domain/events/retention.ts';
import type { QueuePort } from '../../domain/jobs/queue.port.ts';
import type { WebhookFeedRepository } from '../../domain/webhooks/webhook-feed.repository.ts';

type Deps = Pick<SchedulerDeps, 'newId' | 'clock' | 'logger' | 'claimedJobs'> & {
  retention: Pick<Retention, 'notificationsMs'>;
  queue: Pick<QueuePort, 'isReachable' | 'newJobId'>;
};

/** What the effects of events are made by. */
export interface IngestRepositories {
  notifications: NotificationRepository;
  removedTasks: RemovedTaskRepository;
  webhookFeeds: Pick<WebhookFeedRepository, 'eraseTexts'>;
  cursor: Pick<CursorRepository, 'removeDeadLettersWith'>;
}

/**
 * Stores the notifications of the events, with the ids of the jobs that will deliver them, in the transaction that moves the
 * cursor. Events older than the retention are ignored, so that reading the log again from its beginning notifies nobody twice.
 */
export async function ingestEvents(deps: Deps, events: TaskEvent[], repositories: IngestRepositories): Promise<void> {
  const { newId, clock, retention, logger } = deps;
  const now = clock.now();
  const current = events.filter(({ createTime }) => !isForgotten(createTime, now, retention));
  if (current.length < events.length)
    logger.warn({ count: events.length - current.length }, 'ignored events that are older than the retention');
  await forgetRemovedTasks(events, repositories);
  await repositories.webhookFeeds.eraseTexts(events.flatMap(toDeletedComment));
  const claimed = await repositories.notifications.add(
    current.flatMap((event) => toNotifications(event, newId)),
    jobMaker(deps),
  );
  if (claimed > 0) crashPoint('claim.before-commit.deliver-notifications');
  crashPoint('ingest.before-commit');
}

/** The titles were the words of a person whose account is being removed. Events that could not be handled hold them too. */
async function forgetRemovedTasks(
  events: readonly TaskEvent[],
  { removedTasks, cursor }: IngestRepositories,
): Promise<void> {
  const gone = events.flatMap((event) => toRemovedTask(event) ?? []);
  if (gone.length === 0) return;
  await removedTasks.erase(gone);
  crashPoint('forget-removed-tasks.before-commit');
  await cursor.removeDeadLettersWith(taskEventsCursor, [...new Set(gone.map(({ taskId }) => taskId))]);
}

const toDeletedComment = ({ type, taskId, change }: TaskEvent) =>
  type === TaskEventType.COMMENT_DELETED && change?.comment !== undefined
    ? [{ taskId, commentId: change.comment.id }]
    : [];

/** As in `dispatchPending`, nothing is claimed for a queue that is out of reach. */
function jobMaker({ queue, claimedJobs }: Deps): JobMaker | undefined {
  if (!queue.isReachable() || !claimedJobs.hasRoom()) return undefined;
  const claimed: JobMaker['claimed'] = (batches) => {
    crashPoint('claim.after-commit.deliver-notifications');
    claimedJobs.put(batches.map(toDeliveryJob));
  };
  return { newJobId: queue.newJobId, claimed };
}
