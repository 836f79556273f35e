import { defineJob } from '#libs/jobs';
import { z } from 'zod';

/** Delivers notifications, of whichever recipients. */
export const deliverNotificationsJob = defineJob({
  name: 'deliver-notifications',
  queue: 'notifications',
  payload: z.object({ notificationIds: z.array(z.uuid()).min(1).max(500) }),
  retry: { attempts: 8, backoffMs: 1_000 },
  timeoutMs: 30_000,
});

/** Does a recorded run of a schedule. */
export const runScheduleJob = defineJob({
  name: 'run-schedule',
  queue: 'schedules',
  payload: z.object({ scheduleId: z.string(), runId: z.uuid() }),
  retry: { attempts: 5, backoffMs: 1_000 },
  timeoutMs: 300_000,
});

/**
 * Sends what is due to one webhook. With a delivery it only gives that one a new day of attempts: what an administrator
 * wants who retries a dead one.
 */
export const deliverWebhooksJob = defineJob({
  name: 'deliver-webhooks',
  queue: 'webhooks',
  payload: z.object({ webhookId: z.uuid(), deliveryId: z.uuid().optional() }),
  retry: { attempts: 3, backoffMs: 1_000 },
  timeoutMs: 120_000,
});

/** All that producers and workers of this service know. Each queue has slots of its own, so that none keeps another waiting. */
export const schedulerJobs = [deliverNotificationsJob, runScheduleJob, deliverWebhooksJob] as const;
