import { defineJob } from '#libs/jobs';
import { z } from 'zod';

/** Delivers notifications of one recipient. */
export const deliverNotificationsJob = defineJob({
  name: 'deliver-notifications',
  payload: z.object({ recipientId: z.uuid(), notificationIds: z.array(z.uuid()).min(1).max(100) }),
  retry: { attempts: 8, backoffMs: 1_000 },
  timeoutMs: 30_000,
});

/** Runs a schedule's work: a tick (runId is empty), or a run that somebody asked for. */
export const runScheduleJob = defineJob({
  name: 'run-schedule',
  payload: z.object({ scheduleId: z.string(), runId: z.union([z.uuid(), z.literal('')]) }),
  retry: { attempts: 5, backoffMs: 1_000 },
  timeoutMs: 300_000,
});

export const schedulerJobs = [deliverNotificationsJob, runScheduleJob] as const;
export const queueName = 'scheduler';
