import { z } from 'zod';
import { toDeliveryJob } from '../domain/notifications/delivery-batches.ts';
import { deliverNotifications } from '../use-cases/notifications/deliver-notifications.ts';
import { defineKind } from './job-kind.ts';

/** Delivers notifications of any recipients. */
export const deliverNotificationsJob = defineKind({
  name: 'deliver-notifications',
  queue: 'notifications',
  payload: z.object({ notificationIds: z.array(z.uuid()).min(1).max(500) }),
  retry: { attempts: 8, backoffMs: 1_000 },
  timeoutMs: 30_000,
  longestPauseMs: 30_000,
  // Deliveries mostly wait for tasks and the database.
  concurrency: 8,
  run: (deps, { notificationIds }, run) => deliverNotifications(deps, { notificationIds, attempts: run.starts }),
  work: {
    effect: 'notification',
    rows: ({ notifications }) => notifications,
    claim: async ({ notifications }, limit, newJobId) => {
      const batches = await notifications.claim(limit, newJobId);
      return { jobs: batches.map(toDeliveryJob), count: batches.flatMap((batch) => batch.notificationIds).length };
    },
    end: async ({ notifications }, { payload, attempts, error }) => {
      if (payload !== undefined) await notifications.end(payload.notificationIds, { attempts, error });
    },
    revive: ({ notifications }, { notificationIds }) => notifications.revive(notificationIds),
  },
});
