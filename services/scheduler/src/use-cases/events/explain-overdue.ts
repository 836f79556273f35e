import {
  deliveryChannelFromJSON,
  deliveryOutcomeFromJSON,
  OverdueDelivery,
  type ExplainOverdueResponse,
  type Job,
  type OverdueEvent,
  type OverdueNotification,
} from '#contract/scheduler/v1/jobs';
import type { ExplainDueResponse } from '#contract/tasks/v1/tasks';
import { defineMessage } from '#libs/db';
import { toDuration } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import type { RecordedNotification } from '../../domain/events/chain.reader.ts';
import {
  explainAll,
  explainDue,
  explainEvent,
  explainNotification,
  type EventFacts,
  type SweepFacts,
} from '../../domain/events/overdue-explanation.ts';
import { deliveryTable } from '../../domain/notifications/notification.columns.ts';
import { overdueSweepId } from '../../domain/schedules/built-in-schedules.ts';
import { findJob } from '../jobs/get-job.ts';

type Deps = Pick<SchedulerDeps, 'tasks' | 'uow' | 'queue' | 'readJobs' | 'jobWork' | 'readChain'>;

/** Follows the chain as far as it goes: due time, sweep, event, notification, job, delivery. */
export async function explainOverdue(deps: Deps, taskId: string): Promise<ExplainOverdueResponse> {
  const { tasks, readChain } = deps;
  const [due, sweep] = await Promise.all([tasks.explainDue(taskId), readChain.sweep(overdueSweepId)]);
  const position = due.overduePosition;
  const event = position && (await readChain.progress(position));
  const notifications =
    position === undefined ? [] : await explainNotifications(deps, await readChain.notificationsOf(position.eventId));
  // Notifications count more than the state of the event: a dead-letter event may have been retried.
  const early = explainDue(due, sweep) ?? (notifications.length === 0 ? explainEvent(due, event) : undefined);
  return {
    taskId,
    ...(early ?? explainAll(notifications)),
    due: due.state && {
      dueTime: due.dueTime,
      dueVersion: due.state.dueVersion,
      status: due.state.status,
      currentTime: due.currentTime,
    },
    sweep: toSweep(due, sweep),
    event: toEvent(due, event),
    notifications,
  };
}

function toSweep(
  { overdueTime }: ExplainDueResponse,
  { lastRunTime, lastResult, lastRunFailed, paused }: SweepFacts,
): ExplainOverdueResponse['sweep'] {
  return { overdueTime, lastRunTime, lastResult, lastRunFailed, paused };
}

function toEvent(
  { overduePosition, overdueEventTime: createTime }: ExplainDueResponse,
  facts: EventFacts | undefined,
): OverdueEvent | undefined {
  if (overduePosition === undefined || facts === undefined) return undefined;
  const { pulled, deadLettered, idleMs } = facts;
  return {
    eventId: overduePosition.eventId,
    createTime,
    pulled,
    deadLettered,
    lag: pulled || idleMs === undefined ? undefined : toDuration(idleMs),
  };
}

async function explainNotifications(deps: Deps, recorded: RecordedNotification[]): Promise<OverdueNotification[]> {
  const pausedQueues = await deps.readJobs.pausedQueues();
  return Promise.all(
    recorded.map(async (notification) => {
      const { job, reachable } = await jobOf(deps, notification.jobId);
      const { deliveries } = notification;
      const queuePaused = notification.state === 'pending' && pausedQueues.has(job?.queue || deliveryQueue);
      const finding = explainNotification({ ...notification, job, deliveries, queueReachable: reachable, queuePaused });
      const { id: notificationId, recipientId, createTime, deliverTime, delay } = notification;
      return {
        notificationId,
        recipientId,
        ...finding,
        createTime,
        deliverTime: deliverTime ?? undefined,
        job,
        deliveries: deliveries.map((delivery) => toDelivery(delivery)),
        earliestDeliverTime: delay.until,
      };
    }),
  );
}

/** The queue of notifications' jobs, for when Redis is away. */
const deliveryQueue = 'notifications';

async function jobOf(deps: Deps, jobId: string | null): Promise<{ job: Job | undefined; reachable: boolean }> {
  const reachable = deps.queue.isReachable();
  if (jobId === null) return { job: undefined, reachable };
  return { job: await findJob(deps, jobId).catch(() => undefined), reachable };
}

const toDelivery = defineMessage<OverdueDelivery, void>(OverdueDelivery.fromPartial({}))(deliveryTable, {
  channel: ({ channel }) => deliveryChannelFromJSON(`DELIVERY_CHANNEL_${channel.toUpperCase()}`),
  outcome: ({ outcome }) => deliveryOutcomeFromJSON(`DELIVERY_OUTCOME_${outcome.toUpperCase()}`),
});
