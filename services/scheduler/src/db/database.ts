import { fileURLToPath } from 'node:url';
import { idempotencyTable, type DatabaseDefinition } from '#libs/db';
import { cursorTable, logIncarnations } from '#libs/events';
import { AdminActionSchema } from '../domain/jobs/admin-action.entity.ts';
import { DeadLetterSchema } from '../domain/jobs/dead-letter.columns.ts';
import { MailSchema } from '../domain/mails/mail.columns.ts';
import { DeliverySchema, NotificationSchema } from '../domain/notifications/notification.columns.ts';
import { RemovedUserSchema } from '../domain/notifications/removed-user.entity.ts';
import { WebhookAttemptSchema, WebhookDeliverySchema, WebhookSchema } from '../domain/webhooks/webhook.columns.ts';
import { PausedQueueSchema } from '../domain/jobs/paused-queue.entity.ts';
import { ScheduleRunSchema, ScheduleSchema } from '../domain/schedules/schedule.columns.ts';

/** The entities and migrations of the scheduler's database. */
export function databaseDefinition(url: string): DatabaseDefinition {
  return {
    url,
    entities: [
      NotificationSchema,
      RemovedUserSchema,
      DeliverySchema,
      MailSchema,
      WebhookSchema,
      WebhookDeliverySchema,
      WebhookAttemptSchema,
      ScheduleSchema,
      ScheduleRunSchema,
      DeadLetterSchema,
      AdminActionSchema,
      PausedQueueSchema,
      idempotencyTable.entity,
      ...cursorTable.entities,
      logIncarnations.entity,
    ],
    migrationsPath: fileURLToPath(new URL('migrations', import.meta.url)),
  };
}
