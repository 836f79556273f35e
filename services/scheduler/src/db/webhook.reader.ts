import { notificationKindFromJSON, WebhookDeliveryState, WebhookState, type Webhook, type WebhookDelivery } from '#contract/scheduler/v1/notifications';
import { taskStatusFromJSON } from '#contract/tasks/v1/tasks';
import type { SqlReader, Statement } from '#libs/db';
import type { DeliveryPosition, DueDelivery, RunningWebhook, WebhookReader } from '../deps.ts';
import { webhookEtag } from '../domain/webhook.entity.ts';
import { typeOf } from '../domain/webhook-message.ts';
import { isHead } from '../domain/webhook-run.repository.ts';
import { notificationColumns, toNotification, type NotificationRow } from './inbox.reader.ts';

const columns = `id, url, description, kinds, state, disable_reason, disable_time, create_time, update_time, version, failing_since, last_success_time,
  case when previous_secret_expire_time > now() then previous_secret_expire_time end as previous_secret_expire_time`;

const list: Statement = { name: 'webhooks_of', text: `select ${columns} from webhooks where owner_id = $1 and state <> 'deleted' order by id` };
const find: Statement = { name: 'webhook', text: `select ${columns} from webhooks where owner_id = $1 and id = $2 and state <> 'deleted'` };

const running: Statement = {
  name: 'webhook_running',
  text: `
    select owner_id, url, secret, case when previous_secret_expire_time > now() then previous_secret end as previous_secret, failing_since
    from webhooks where id = $1 and job_id = $2 and state = 'enabled'`,
};

const due: Statement = {
  name: 'webhook_due',
  text: `
    select d.id as delivery_id, d.kind as delivery_kind, d.attempts, d.body, d.message_id, n.due_version, ${notificationColumns}
    from webhook_deliveries d left join notifications n on n.id = d.notification_id
    where d.webhook_id = $1 and d.state = 'pending' and d.next_attempt_time <= clock_timestamp() and ${isHead}
    order by d.next_attempt_time, d.event_id limit $2`,
};

const log: Statement = {
  name: 'webhook_log',
  text: `
    select d.*, coalesce((
      select jsonb_agg(a order by number) from (
        select number, start_time, duration_ms, status_code, error from webhook_attempts where delivery_id = d.id order by number desc limit 30) a), '[]') as log
    from webhook_deliveries d
    where d.webhook_id = $1 and ($3::text[] is null or d.state = any ($3)) and (d.create_time, d.id) < ($4::timestamptz, $5::uuid)
    order by d.create_time desc, d.id desc limit $2`,
};

interface WebhookRow {
  id: string;
  url: string;
  description: string;
  kinds: number[];
  state: 'enabled' | 'disabled';
  disable_reason: string;
  disable_time: Date | null;
  create_time: Date;
  update_time: Date;
  version: bigint;
  failing_since: Date | null;
  last_success_time: Date | null;
  previous_secret_expire_time: Date | null;
}

function toWebhook(row: WebhookRow): Webhook {
  return {
    id: row.id,
    url: row.url,
    description: row.description,
    kinds: row.kinds.map((kind) => notificationKindFromJSON(kind)),
    state: row.state === 'enabled' ? WebhookState.ENABLED : WebhookState.DISABLED,
    disableReason: row.disable_reason,
    disableTime: row.disable_time ?? undefined,
    createTime: row.create_time,
    updateTime: row.update_time,
    etag: webhookEtag(row.version),
    failingSince: row.failing_since ?? undefined,
    lastSuccessTime: row.last_success_time ?? undefined,
    previousSecretExpireTime: row.previous_secret_expire_time ?? undefined,
  };
}

type DueRow = { delivery_id: string; delivery_kind: number; attempts: number; body: string | null; message_id: string; due_version: bigint | null } & NotificationRow;

function toDue(row: DueRow): DueDelivery {
  return {
    id: row.delivery_id,
    kind: notificationKindFromJSON(row.delivery_kind),
    attempts: row.attempts,
    body: row.body ?? undefined,
    messageId: row.message_id,
    notification: row.id === null ? undefined : { ...toNotification(row), status: taskStatusFromJSON(row.status) },
    dueVersion: row.due_version ?? 0n,
  };
}

const deliveryStates: Readonly<Record<string, WebhookDeliveryState>> = {
  pending: WebhookDeliveryState.PENDING,
  delivered: WebhookDeliveryState.DELIVERED,
  stale: WebhookDeliveryState.STALE,
  dead: WebhookDeliveryState.DEAD,
};

interface LogRow {
  id: string;
  message_id: string;
  kind: number;
  task_id: string | null;
  task_version: bigint;
  notification_id: string | null;
  state: string;
  next_attempt_time: Date | null;
  create_time: Date;
  finish_time: Date | null;
  body: string | null;
  last_error: string;
  log: { number: number; start_time: string; duration_ms: number | null; status_code: number | null; error: string }[];
}

const toDuration = (ms: number) => ({ seconds: BigInt(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1_000_000 });

function toDelivery(row: LogRow): WebhookDelivery {
  return {
    id: row.id,
    messageId: row.message_id,
    type: typeOf(notificationKindFromJSON(row.kind)),
    taskId: row.task_id ?? '',
    taskVersion: row.task_version,
    notificationId: row.notification_id ?? '',
    state: deliveryStates[row.state] ?? WebhookDeliveryState.UNSPECIFIED,
    attempts: row.log.map(({ number, start_time: startTime, duration_ms: ms, status_code: statusCode, error }) => ({
      number,
      startTime: new Date(startTime),
      duration: ms === null ? undefined : toDuration(ms),
      statusCode: statusCode ?? 0,
      error,
    })),
    nextAttemptTime: row.state === 'pending' ? (row.next_attempt_time ?? undefined) : undefined,
    createTime: row.create_time,
    finishTime: row.finish_time ?? undefined,
    body: row.body ?? '',
    error: row.state === 'dead' ? row.last_error : '',
  };
}

const afterLast: DeliveryPosition = { createTime: 'infinity', id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' };

export function createWebhookReader(reader: SqlReader): WebhookReader {
  return {
    list: async (ownerId) => (await reader.query<WebhookRow>(list, [ownerId])).map(toWebhook),
    find: async (ownerId, webhookId) => (await reader.query<WebhookRow>(find, [ownerId, webhookId])).map(toWebhook)[0],
    running: async ({ webhookId, jobId }) => {
      const [row] = await reader.query<{ owner_id: string; url: string; secret: Buffer; previous_secret: Buffer | null; failing_since: Date | null }>(running, [webhookId, jobId]);
      if (row === undefined) return undefined;
      const sealedSecrets = row.previous_secret === null ? [row.secret] : [row.secret, row.previous_secret];
      return { ownerId: row.owner_id, url: row.url, sealedSecrets, failingSince: row.failing_since ?? undefined } satisfies RunningWebhook;
    },
    due: async (webhookId, limit) => (await reader.query<DueRow>(due, [webhookId, limit])).map(toDue),
    log: async (webhookId, states, after, limit) => {
      const { createTime, id } = after ?? afterLast;
      const wanted = states.length === 0 ? null : Object.keys(deliveryStates).filter((name) => states.includes(deliveryStates[name] ?? WebhookDeliveryState.UNSPECIFIED));
      // One more than asked for tells whether another page follows.
      const rows = await reader.query<LogRow>(log, [webhookId, limit + 1, wanted, createTime, id]);
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return { deliveries: page.map(toDelivery), next: rows.length > limit && last !== undefined ? { createTime: last.create_time.toISOString(), id: last.id } : undefined };
    },
  };
}
