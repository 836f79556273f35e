import { pruneIdempotency, type EntityManager } from '#libs/db';
import { createCursorRepository, type CursorRepository } from '#libs/events';
import { createAdminActionRepository, type AdminActionRepository } from '../domain/admin-action.repository.ts';
import { createDeadLetterRepository, type DeadLetterRepository } from '../domain/dead-letter.repository.ts';
import { createDeliveryRepository, type DeliveryRepository } from '../domain/delivery.repository.ts';
import { createHistoryRepository, type HistoryRepository } from '../domain/history.repository.ts';
import { createInboxRepository, type InboxRepository } from '../domain/inbox.repository.ts';
import { createJobEffectRepository, type JobEffectRepository } from '../domain/job-effect.repository.ts';
import { createNotificationRepository, type NotificationRepository } from '../domain/notification.repository.ts';
import { createScheduleRunRepository, type ScheduleRunRepository } from '../domain/schedule-run.repository.ts';
import { createQueueHoldRepository, type QueueHoldRepository } from '../domain/queue-hold.repository.ts';
import { createScheduleRepository, type ScheduleRepository } from '../domain/schedule.repository.ts';
import { createWebhookRepository, type WebhookRepository } from '../domain/webhook.repository.ts';
import { createWebhookRunRepository, type WebhookRunRepository } from '../domain/webhook-run.repository.ts';

/** What a unit of work may use. */
export interface Repositories {
  notifications: NotificationRepository;
  deliveries: DeliveryRepository;
  inbox: InboxRepository;
  history: HistoryRepository;
  webhooks: WebhookRepository;
  webhookRuns: WebhookRunRepository;
  schedules: ScheduleRepository;
  scheduleRuns: ScheduleRunRepository;
  /** What administrators did. */
  adminActions: AdminActionRepository;
  deadLetters: DeadLetterRepository;
  queueHolds: QueueHoldRepository;
  jobEffects: JobEffectRepository;
  cursor: CursorRepository;
  /** The recorded requests; `prune` deletes a batch whose time is over. */
  requests: { prune(limit: number): Promise<number> };
}

export function createRepositories(em: EntityManager): Repositories {
  return {
    notifications: createNotificationRepository(em),
    deliveries: createDeliveryRepository(em),
    inbox: createInboxRepository(em),
    history: createHistoryRepository(em),
    webhooks: createWebhookRepository(em),
    webhookRuns: createWebhookRunRepository(em),
    schedules: createScheduleRepository(em),
    scheduleRuns: createScheduleRunRepository(em),
    adminActions: createAdminActionRepository(em),
    deadLetters: createDeadLetterRepository(em),
    queueHolds: createQueueHoldRepository(em),
    jobEffects: createJobEffectRepository(em),
    cursor: createCursorRepository(em),
    requests: { prune: (limit) => pruneIdempotency(em, limit) },
  };
}
