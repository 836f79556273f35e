import { fileURLToPath } from 'node:url';
import { idempotencyTable, type DatabaseDefinition } from '#libs/db';
import { cursorTable } from '#libs/events';
import { AdminActionSchema } from '../domain/admin-action.repository.ts';
import { DeadLetterSchema } from '../domain/dead-letter.entity.ts';
import { DeliverySchema, NotificationSchema } from '../domain/notification.entity.ts';
import { WebhookAttemptSchema, WebhookDeliverySchema, WebhookSchema } from '../domain/webhook.entity.ts';
import { QueueHoldSchema } from '../domain/queue-hold.entity.ts';
import { ScheduleRunSchema, ScheduleSchema } from '../domain/schedule.entity.ts';

/** What the database of the scheduler is made of. */
export function databaseDefinition(url: string): DatabaseDefinition {
  return {
    url,
    entities: [
      NotificationSchema,
      DeliverySchema,
      WebhookSchema,
      WebhookDeliverySchema,
      WebhookAttemptSchema,
      ScheduleSchema,
      ScheduleRunSchema,
      DeadLetterSchema,
      AdminActionSchema,
      QueueHoldSchema,
      idempotencyTable.entity,
      ...cursorTable.entities,
    ],
    migrationsPath: fileURLToPath(new URL('migrations', import.meta.url)),
  };
}
