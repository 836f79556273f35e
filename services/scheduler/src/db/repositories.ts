import type { AuditLog } from '#libs/audit';
import { pruneIdempotency, runStatement, type EntityManager, type SqlReader } from '#libs/db';
import { createCursorRepository } from '#libs/events';
import { createAdminActionRepository } from './jobs/admin-action.repository.ts';
import { createDeadLetterRepository } from './jobs/dead-letter.repository.ts';
import { createMailRepository } from './mails/mail.repository.ts';
import { createDeliveryRepository } from './notifications/delivery.repository.ts';
import { createInboxRepository } from './notifications/inbox.repository.ts';
import { createNotificationRepository } from './notifications/notification.repository.ts';
import { createRemovedTaskRepository } from './notifications/removed-task.repository.ts';
import { createRemovedUserRepository } from './notifications/removed-user.repository.ts';
import { createScheduleRunRepository } from './schedules/schedule-run.repository.ts';
import { createPausedQueueRepository } from './jobs/paused-queue.repository.ts';
import { createScheduleRepository } from './schedules/schedule.repository.ts';
import { createScheduleReader } from './schedules/schedule.reader.ts';
import { createWebhookReader } from './webhooks/webhook.reader.ts';
import { createWebhookRepository } from './webhooks/webhook.repository.ts';
import { createWebhookFeedRepository } from './webhooks/webhook-feed.repository.ts';
import { createWebhookRunRepository } from './webhooks/webhook-run.repository.ts';

/** Reads within a transaction. */
const readerOf = (em: EntityManager): SqlReader => ({
  query: (statement, parameters) => runStatement(em, statement, parameters),
});

/** The repositories of a unit of work. */
export type Repositories = ReturnType<ReturnType<typeof createRepositories>>;

export const createRepositories =
  (audit: Pick<AuditLog, 'trailOf'>, settings: { mailsOn: boolean }) => (em: EntityManager) => ({
    audit: audit.trailOf(em),
    notifications: createNotificationRepository(em),
    deliveries: createDeliveryRepository(em),
    inbox: createInboxRepository(em),
    removedUsers: createRemovedUserRepository(em),
    removedTasks: createRemovedTaskRepository(em),
    mails: createMailRepository(em, settings),
    webhooks: createWebhookRepository(em),
    webhookRuns: createWebhookRunRepository(em),
    webhookFeeds: createWebhookFeedRepository(em),
    schedules: createScheduleRepository(em),
    scheduleRuns: createScheduleRunRepository(em),
    /** A schedule, and a webhook, as they are in this transaction. */
    readSchedule: createScheduleReader(readerOf(em)).find,
    readWebhook: createWebhookReader(readerOf(em)).find,
    adminActions: createAdminActionRepository(em),
    deadLetters: createDeadLetterRepository(em),
    pausedQueues: createPausedQueueRepository(em),
    cursor: createCursorRepository(em),
    /** The recorded requests; `prune` deletes a batch whose time is over. */
    requests: { prune: (limit: number) => pruneIdempotency(em, limit) },
  });
