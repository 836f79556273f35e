import type { ExplainOverdueResponse, Job, OverdueDelivery, OverdueEvent, OverdueNotification } from '#contract/scheduler/v1/jobs';
import type { ExplainDueResponse } from '#contract/tasks/v1/tasks';
import type { SchedulerDeps, ToldNotification } from '../deps.ts';
import { judgeAll, judgeDue, judgeEvent, judgeNotification, type EventFacts, type SweepFacts } from '../domain/overdue-verdict.ts';
import { overdueSweepId } from '../domain/schedule.entity.ts';
import { findJob } from './get-job.ts';
import { toDuration } from './job-messages.ts';

type Deps = Pick<SchedulerDeps, 'tasks' | 'queue' | 'readJobs' | 'readChain'>;

/** Follows the chain as far as it goes: due time, sweep, event, notification, job, delivery. */
export async function explainOverdue(deps: Deps, taskId: string): Promise<ExplainOverdueResponse> {
  const { tasks, readChain } = deps;
  const [due, sweep] = await Promise.all([tasks.explainDue(taskId), readChain.sweep(overdueSweepId)]);
  const position = due.overduePosition;
  const event = position && (await readChain.progress(position));
  const notifications = position === undefined ? [] : await explainNotifications(deps, await readChain.notificationsOf(position.eventId));
  // What was told of the event counts more than where the event stands: a parked one may have been retried.
  const early = judgeDue(due, sweep) ?? (notifications.length === 0 ? judgeEvent(due, event) : undefined);
  return {
    taskId,
    ...(early ?? judgeAll(notifications)),
    due: due.state && { dueTime: due.dueTime, dueVersion: due.state.dueVersion, status: due.state.status, currentTime: due.currentTime },
    sweep: toSweep(due, sweep),
    event: toEvent(due, event),
    notifications,
  };
}

function toSweep({ overdueTime }: ExplainDueResponse, { lastRunTime, lastResult, lastRunFailed, paused }: SweepFacts): ExplainOverdueResponse['sweep'] {
  return { overdueTime, lastRunTime, lastResult, lastRunFailed, paused };
}

function toEvent({ overduePosition, overdueEventTime: createTime }: ExplainDueResponse, facts: EventFacts | undefined): OverdueEvent | undefined {
  if (overduePosition === undefined || facts === undefined) return undefined;
  const { pulled, parked, idleMs } = facts;
  return { eventId: overduePosition.eventId, createTime, pulled, parked, lag: pulled || idleMs === undefined ? undefined : toDuration(idleMs) };
}

async function explainNotifications(deps: Deps, told: ToldNotification[]): Promise<OverdueNotification[]> {
  const holds = await deps.readJobs.holds();
  return Promise.all(
    told.map(async (notification) => {
      const { job, reachable } = await jobOf(deps, notification.jobId);
      const deliveries = notification.deliveries.map(toDelivery);
      const queuePaused = notification.state === 'pending' && holds.has(job?.queue || deliveryQueue);
      const finding = judgeNotification({ ...notification, job, deliveries, queueReachable: reachable, queuePaused });
      const { id: notificationId, recipientId, createTime, deliverTime, hold } = notification;
      return { notificationId, recipientId, ...finding, createTime, deliverTime, job, deliveries, deliverAfter: hold.until };
    }),
  );
}

/** Where the jobs of notifications are, also while Redis cannot tell. */
const deliveryQueue = 'notifications';

async function jobOf(deps: Deps, jobId: string | undefined): Promise<{ job: Job | undefined; reachable: boolean }> {
  const reachable = deps.queue.isReachable();
  if (jobId === undefined) return { job: undefined, reachable };
  return { job: await findJob(deps, jobId).catch(() => undefined), reachable };
}

function toDelivery({ channel, outcome, attempts: attemptCount, error, createTime }: ToldNotification['deliveries'][number]): OverdueDelivery {
  return { channel, outcome, attemptCount, error, createTime };
}
