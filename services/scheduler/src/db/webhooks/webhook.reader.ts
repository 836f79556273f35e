import { Webhook, WebhookAttempt, WebhookDelivery, WebhookDeliveryState } from '#contract/scheduler/v1/notifications';
import { defineMessage, pickColumns, type RowOf, type SqlReader, type Statement, type Stored } from '#libs/db';
import { toDuration } from '#libs/runtime';
import { notificationTable, toMessage } from '../../domain/notifications/notification.columns.ts';
import {
  deliveryStates,
  webhookAttemptTable,
  webhookDeliveryTable,
  webhookEtag,
  webhookTable,
} from '../../domain/webhooks/webhook.columns.ts';
import type { DeliveryPosition, DueDelivery, WebhookReader } from '../../domain/webhooks/webhook.reader.ts';
import { messageTypeOf } from '../../domain/webhooks/webhook-message.ts';
import type { NotificationRow } from '../notifications/inbox.reader.ts';
import { isHead } from './webhook-run.repository.ts';

const columns = `${webhookTable.select()}, previous_secret_expire_time > now() as "previousSecretSigns"`;
type WebhookRow = RowOf<typeof webhookTable.columns> & { previousSecretSigns: boolean | null };

const list: Statement = {
  name: 'webhooks_of',
  text: `
    select ${columns} from webhooks where owner_id = $1 and state <> 'deleted' and ($2::uuid is null or id > $2::uuid)
    order by id limit $3`,
};
const find: Statement = {
  name: 'webhook',
  text: `select ${columns} from webhooks where owner_id = $1 and id = $2 and state <> 'deleted'`,
};
const readers: Statement = {
  name: 'webhook_readers',
  text: `
    select distinct coalesce(project_id, owner_id) as id from webhooks where state = 'enabled' and events <> '{}' limit $1`,
};
const running: Statement = {
  name: 'webhook_running',
  text: `select ${columns} from webhooks where id = $1 and job_id = $2 and state = 'enabled'`,
};

const dueTable = pickColumns(
  webhookDeliveryTable,
  'id',
  'kind',
  'attemptCount',
  'body',
  'messageId',
  'notificationId',
  'projectId',
  'otherProjectId',
);
type DueRow = RowOf<typeof dueTable.columns>;
const due: Statement = {
  name: 'webhook_due',
  text: `
    select ${dueTable.select('d')} from webhook_deliveries d
    where d.webhook_id = $1 and d.state = 'pending' and d.next_attempt_time <= clock_timestamp() and ${isHead}
    order by d.next_attempt_time, d.event_id limit $2`,
};
const notificationsById: Statement = {
  name: 'notifications_by_id',
  text: `select ${notificationTable.select()} from notifications where id = any ($1::uuid[])`,
};

const log: Statement = {
  name: 'webhook_log',
  text: `
    select ${webhookDeliveryTable.select('d')}, coalesce((
      select jsonb_agg(a order by number) from (
        select ${webhookAttemptTable.select()} from webhook_attempts where delivery_id = d.id order by number desc limit 30) a), '[]') as log
    from webhook_deliveries d
    where d.webhook_id = $1 and ($3::text[] is null or d.state = any ($3)) and (d.create_time, d.id) < ($4::timestamptz, $5::uuid)
    order by d.create_time desc, d.id desc limit $2`,
};

const toWebhookMessage = defineMessage<Webhook, WebhookRow>(Webhook.fromPartial({}))(webhookTable, {
  etag: ({ version }) => webhookEtag(version),
  previousSecretExpireTime: ({ previousSecretExpireTime }, { previousSecretSigns }) =>
    previousSecretSigns === true ? (previousSecretExpireTime ?? undefined) : undefined,
});
const toWebhook = (row: WebhookRow): Webhook => toWebhookMessage(webhookTable.toValues(row), row);

/** As JSON holds it. */
type AttemptJson = Omit<Stored<typeof webhookAttemptTable.columns>, 'startTime'> & { startTime: string };

const toAttempt = defineMessage<WebhookAttempt, void>(WebhookAttempt.fromPartial({}))(webhookAttemptTable, {
  duration: ({ durationMs }) => (durationMs === null ? undefined : toDuration(durationMs)),
});

type LogRow = RowOf<typeof webhookDeliveryTable.columns> & { log: AttemptJson[] };

const toDelivery = defineMessage<WebhookDelivery, LogRow>(WebhookDelivery.fromPartial({}))(webhookDeliveryTable, {
  type: ({ kind, eventType }) => eventType ?? messageTypeOf(kind),
  attempts: (_, row) => row.log.map(({ startTime, ...rest }) => toAttempt({ ...rest, startTime: new Date(startTime) })),
  nextAttemptTime: ({ state, nextAttemptTime }) =>
    state === WebhookDeliveryState.PENDING ? (nextAttemptTime ?? undefined) : undefined,
  error: ({ state, lastError }) => (state === WebhookDeliveryState.DEAD ? lastError : ''),
});

const afterLast: DeliveryPosition = { createTime: 'infinity', id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' };

/** The states as they are stored; null = all. */
function storedStates(states: readonly WebhookDeliveryState[]): string[] | null {
  if (states.length === 0) return null;
  return Object.entries(deliveryStates).flatMap(([text, state]) => (states.includes(state) ? [text] : []));
}

export function createWebhookReader(reader: SqlReader): WebhookReader {
  const readDue = async (webhookId: string, limit: number): Promise<DueDelivery[]> => {
    const deliveries = (await reader.query<DueRow>(due, [webhookId, limit])).map(dueTable.toValues);
    const ids = deliveries.flatMap(({ notificationId }) => notificationId ?? []);
    const rows = ids.length === 0 ? [] : await reader.query<NotificationRow>(notificationsById, [ids]);
    const notifications = new Map(rows.map(notificationTable.toValues).map((values) => [values.id, values]));
    return deliveries.map(({ notificationId, ...delivery }) => {
      const values = notifications.get(notificationId ?? '');
      return { ...delivery, notification: values && toMessage(values), dueVersion: values?.dueVersion ?? 0n };
    });
  };
  return {
    due: readDue,
    readers: async (limit) => (await reader.query<{ id: string }>(readers, [limit])).map(({ id }) => id),
    list: async (ownerId, after, limit) =>
      (await reader.query<WebhookRow>(list, [ownerId, after ?? null, limit])).map(toWebhook),
    find: async (ownerId, webhookId) => (await reader.query<WebhookRow>(find, [ownerId, webhookId])).map(toWebhook)[0],
    running: async ({ webhookId, jobId }) => {
      const [row] = await reader.query<WebhookRow>(running, [webhookId, jobId]);
      if (row === undefined) return undefined;
      const { ownerId, url, secret, previousSecret, failingStartTime, logEvent } = webhookTable.toValues(row);
      const signsToo = row.previousSecretSigns === true && previousSecret !== null ? [previousSecret] : [];
      return { ownerId, url, sealedSecrets: [secret, ...signsToo], failingStartTime, readsLog: logEvent !== null };
    },
    log: async (webhookId, states, after, limit) => {
      const { createTime, id } = after ?? afterLast;
      // One more than the page size shows whether another page follows.
      const rows = await reader.query<LogRow>(log, [webhookId, limit + 1, storedStates(states), createTime, id]);
      const deliveries = rows.slice(0, limit).map((row) => toDelivery(webhookDeliveryTable.toValues(row), row));
      const last = rows.length > limit ? deliveries.at(-1) : undefined;
      return { deliveries, next: last && { createTime: last.createTime?.toISOString() ?? '', id: last.id } };
    },
  };
}
