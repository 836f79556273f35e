import { Notification, Webhook, WebhookDelivery } from '#contract/scheduler/v1/notifications';
import { canonicalJson } from '#libs/contract';
import type { SqlReader } from '#libs/db';
import {
  auditEvents,
  commonTables,
  defineExportPart,
  followPages,
  pageSize,
  readPages,
  type ExportedData,
} from '#libs/export';
import type { InboxPosition } from '../domain/notifications/inbox.reader.ts';
import type { DeliveryPosition } from '../domain/webhooks/webhook.reader.ts';
import { createInboxReader } from './notifications/inbox.reader.ts';
import { createWebhookReader } from './webhooks/webhook.reader.ts';

const everything = { unreadOnly: false, kinds: [] };

/** The inbox, newest first; behind each page of it the members of its digests. */
const notifications = defineExportPart({
  type: 'notification',
  message: canonicalJson('taskflow.scheduler.v1.Notification', Notification),
  tables: ['notifications'],
  pages: async function* (reader, { userId }) {
    const inbox = createInboxReader(reader);
    const entries = followPages(async (after: InboxPosition | undefined) => {
      const { notifications: rows, next } = await inbox.page(userId, everything, after, pageSize);
      return { rows, next };
    });
    for await (const page of entries) {
      yield page;
      for (const { id, digestTaskCount } of page)
        if (digestTaskCount > 0)
          yield* followPages(async (after: InboxPosition | undefined) => {
            const members = await inbox.digest(userId, id, after, pageSize);
            // The digest itself represents one of its members.
            return { rows: members.notifications.filter((member) => member.id !== id), next: members.next };
          });
    }
  },
});

const listWebhooks = (reader: SqlReader, ownerId: string) =>
  readPages(
    (after: string | undefined, limit) => createWebhookReader(reader).list(ownerId, after, limit),
    ({ id }) => id,
  );

const webhooks = defineExportPart({
  type: 'webhook',
  message: canonicalJson('taskflow.scheduler.v1.Webhook', Webhook),
  tables: ['webhooks'],
  pages: (reader, { userId }) => listWebhooks(reader, userId),
});

const webhookDeliveries = defineExportPart({
  type: 'webhook_delivery',
  message: canonicalJson('taskflow.scheduler.v1.WebhookDelivery', WebhookDelivery),
  tables: ['webhook_deliveries', 'webhook_attempts'],
  pages: async function* (reader, { userId }) {
    const { log } = createWebhookReader(reader);
    for await (const page of listWebhooks(reader, userId))
      for (const { id } of page)
        yield* followPages(async (after: DeliveryPosition | undefined) => {
          const { deliveries: rows, next } = await log(id, [], after, pageSize);
          return { rows, next };
        });
  },
});

/** What people can take away from this service. */
export const exportedData: ExportedData = {
  parts: [notifications, webhooks, webhookDeliveries, auditEvents],
  leftOut: {
    ...commonTables,
    removed_users: 'who is gone',
    admin_actions: 'what administrators did to jobs; the audit log has it',
    dead_letters: 'dead jobs, of nobody in particular',
    deliveries: 'by which channels a notification went; the inbox and the deliveries to webhooks are exported',
    event_cursors: 'how far the events of tasks have been read',
    log_incarnations: 'which lives the database has had',
    mails: 'how mails are sent, without what they say; the notifications that they tell of are exported',
    parked_events: 'events that could not be handled; tasks has them',
    queue_holds: 'which queues are paused',
    schedules: 'belong to the installation',
    schedule_runs: 'belong to the installation',
  },
};
