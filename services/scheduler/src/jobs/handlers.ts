import type { DeadJob, DeadLetters, JobHandlers } from '#libs/jobs';
import type { JobWork, SchedulerDeps } from '../deps.ts';
import { buryJob } from '../use-cases/bury-job.ts';
import { deliverNotifications } from '../use-cases/deliver-notifications.ts';
import { reviveWebhookDelivery } from '../use-cases/revive-webhook-delivery.ts';
import { runSchedule } from '../use-cases/run-schedule.ts';
import { runWebhook } from '../use-cases/run-webhook.ts';
import { deliverNotificationsJob, deliverWebhooksJob, runScheduleJob, type schedulerJobs } from './definitions.ts';
import { outlastingOutages } from './outage.ts';

export function jobHandlers(deps: SchedulerDeps): JobHandlers<typeof schedulerJobs> {
  return {
    'deliver-notifications': ({ notificationIds }, run) =>
      outlastingOutages(run, 'delivery', () => deliverNotifications(deps, { notificationIds, attempts: run.starts })),
    'run-schedule': ({ scheduleId, runId }, run) => outlastingOutages(run, 'run', () => runSchedule(deps, { scheduleId, runId, signal: run.signal })),
    'deliver-webhooks': ({ webhookId, deliveryId }, run) =>
      outlastingOutages(run, 'delivery', () =>
        deliveryId === undefined ? runWebhook(deps, { webhookId, jobId: run.jobId }, run.signal) : reviveWebhookDelivery(deps, { webhookId, deliveryId }),
      ),
  };
}

/** Both definitions also read payloads that belong to no living job; what breaks its schema was for nothing we know. */
export function workOf({ name, payload, jobId }: Pick<DeadJob, 'name' | 'payload' | 'jobId'>): JobWork | undefined {
  if (name === deliverWebhooksJob.name) return { webhookJobId: jobId, webhook: deliverWebhooksJob.payload.safeParse(payload).data };
  if (name === deliverNotificationsJob.name) return deliverNotificationsJob.payload.safeParse(payload).data;
  return name === runScheduleJob.name ? runScheduleJob.payload.safeParse(payload).data : undefined;
}

export function deadLetters(deps: SchedulerDeps): DeadLetters {
  return { bury: ({ ...job }) => buryJob(deps, job, workOf(job)) };
}
