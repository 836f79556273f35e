import {
  notificationKindFromJSON,
  notificationKindToNumber,
  WebhookDeliveryState,
  webhookMessageTypeFromJSON,
  webhookMessageTypeToNumber,
  WebhookState,
} from '#contract/scheduler/v1/notifications';
import { column, defineColumns, defineEntityOf, type Stored } from '#libs/db';

/** Everything that is stored of a user's endpoint. A column that is not internal is the field of its name in the message. */
export const webhookTable = defineColumns('webhooks', {
  id: column.uuid().primary(),
  ownerId: column.uuid().fixed().internal(),
  url: column.text(),
  description: column.text(),
  /** Empty = all. */
  kinds: column.codes(notificationKindToNumber, notificationKindFromJSON),
  /** disabled: failed for too long, or answered that it is gone. deleted (no value of the contract): to be pruned. */
  state: column.codedText<WebhookState>(
    { enabled: WebhookState.ENABLED, disabled: WebhookState.DISABLED },
    WebhookState.UNSPECIFIED,
  ),
  /** Why it is disabled; empty otherwise. */
  disableReason: column.text(),
  disableTime: column.time().nullable(),
  /** Sealed. */
  secret: column.bytes().internal(),
  /** Sealed; signs too until it expires, so that receivers can change over. */
  previousSecret: column.bytes().nullable().internal(),
  previousSecretExpireTime: column.time().nullable().internal(),
  version: column.bigint().internal(),
  createTime: column.time(),
  updateTime: column.time(),
  /** Failed attempts since the last success, and when they began. */
  failures: column.integer().internal(),
  failingStartTime: column.time().nullable().named('failing_since'),
  lastSuccessTime: column.time().nullable(),
  /** When something is due; null = nothing waits. */
  nextRunTime: column.time().nullable().internal(),
  /** The job that sends to it: one at a time, so that order holds. */
  jobId: column.text().nullable().internal(),
  enqueueTime: column.time().nullable().internal(),
  /** What it is sent of what happens; empty = nothing. */
  events: column.codes(webhookMessageTypeToNumber, webhookMessageTypeFromJSON).defaultsTo("'{}'"),
  /** Null: what concerns the owner. */
  projectId: column.uuid().nullable().fixed(),
  /** How far it has read the log of tasks; null before it was sent events. */
  logIncarnation: column.bigint().nullable().internal(),
  logTransaction: column.bigint().nullable().internal(),
  logEvent: column.bigint().nullable().internal(),
  /** How often it was set back. */
  replays: column.integer().defaultsTo('0').internal(),
  /** There is something to read. */
  unread: column.boolean().defaultsTo('false').internal(),
  /** Until then it reads unasked, since pulls that have begun do not know of it. */
  settleTime: column.time().nullable().internal(),
});
export type WebhookValues = Stored<typeof webhookTable.columns>;

/** A webhook that has sent nothing and was not changed. */
export const untouched = {
  state: WebhookState.ENABLED,
  disableReason: '',
  disableTime: null,
  previousSecret: null,
  previousSecretExpireTime: null,
  version: 1n,
  failures: 0,
  failingStartTime: null,
  lastSuccessTime: null,
  nextRunTime: null,
  jobId: null,
  enqueueTime: null,
  replays: 0,
  unread: false,
  logIncarnation: null,
  logTransaction: null,
  logEvent: null,
  settleTime: null,
} satisfies Partial<WebhookValues>;

export const WebhookSchema = defineEntityOf(webhookTable, {
  name: 'Webhook',
  indexes: [
    { name: 'webhooks_of_owner', properties: ['ownerId', 'id'], where: "state <> 'deleted'" },
    {
      name: 'webhooks_due',
      properties: ['nextRunTime', 'id'],
      where: "state = 'enabled' and job_id is null and next_run_time is not null",
    },
    { name: 'webhooks_running', properties: ['jobId'], where: 'job_id is not null' },
    { name: 'webhooks_deleted', properties: ['id'], where: "state = 'deleted'" },
    {
      name: 'webhooks_of_reader',
      expression:
        "create index webhooks_of_reader on webhooks (coalesce(project_id, owner_id)) where state = 'enabled' and events <> '{}'",
    },
  ],
});

export function webhookEtag(version: bigint): string {
  return `"${version.toString(36)}"`;
}

export const deliveryStates = {
  pending: WebhookDeliveryState.PENDING,
  delivered: WebhookDeliveryState.DELIVERED,
  /** Its subject had changed, or something newer was sent. */
  stale: WebhookDeliveryState.STALE,
  /** Given up, or its webhook was disabled. */
  dead: WebhookDeliveryState.DEAD,
} as const;

/** One message for one webhook. */
export const webhookDeliveryTable = defineColumns('webhook_deliveries', {
  id: column.uuid().primary(),
  webhookId: column.uuid().internal(),
  /** Null for a test. */
  notificationId: column.uuid().nullable(),
  /** UNSPECIFIED for a test. */
  kind: column.coded(notificationKindToNumber, notificationKindFromJSON).internal(),
  /** Null for a digest or a test, which are not ordered. */
  taskId: column.uuid().nullable(),
  taskVersion: column.bigint(),
  eventId: column.bigint().internal(),
  /** The header webhook-id, the same for every attempt. */
  messageId: column.text(),
  /** Written by the first attempt, and never changed after it. */
  body: column.text().nullable(),
  state: column.codedText<WebhookDeliveryState>(deliveryStates, WebhookDeliveryState.UNSPECIFIED),
  attemptCount: column.integer().named('attempts').internal(),
  /** The time to give up counts from here. */
  firstAttemptTime: column.time().nullable().internal(),
  nextAttemptTime: column.time().nullable().internal(),
  /** Its owner asked for it again: order does not hold it back. */
  redelivery: column.boolean().defaultsTo('false').internal(),
  lastStatusCode: column.integer().nullable().internal(),
  lastError: column.text().defaultsTo("''").internal(),
  createTime: column.time(),
  finishTime: column.time().nullable(),
  /** Of what happened; null for notifications and tests. */
  eventType: column.coded(webhookMessageTypeToNumber, webhookMessageTypeFromJSON).nullable().internal(),
  /** Who may not see it may not be told. */
  projectId: column.uuid().nullable(),
  /** Nor who may not see this one: the project that a task has left. */
  otherProjectId: column.uuid().nullable().internal(),
  /** Messages about one subject are in the order of the events; null for what did not happen in the log. */
  subjectId: column.uuid().nullable().internal(),
  replay: column.integer().nullable().internal(),
  logIncarnation: column.bigint().nullable().internal(),
  logTransaction: column.bigint().nullable().internal(),
});

export type WebhookDeliveryValues = Stored<typeof webhookDeliveryTable.columns>;

export const WebhookDeliverySchema = defineEntityOf(webhookDeliveryTable, {
  name: 'WebhookDelivery',
  uniques: [
    { name: 'webhook_deliveries_notification', properties: ['notificationId', 'webhookId'] },
    {
      name: 'webhook_deliveries_event',
      properties: ['webhookId', 'replay', 'eventId'],
      where: 'subject_id is not null',
    },
  ],
  indexes: [
    { name: 'webhook_deliveries_log', properties: ['webhookId', 'createTime', 'id'] },
    { name: 'webhook_deliveries_due', properties: ['webhookId', 'nextAttemptTime'], where: "state = 'pending'" },
    { name: 'webhook_deliveries_finished', properties: ['finishTime'], where: 'finish_time is not null' },
    {
      name: 'webhook_deliveries_task',
      properties: ['webhookId', 'taskId', 'taskVersion'],
      where: 'task_id is not null',
    },
    {
      name: 'webhook_deliveries_comments',
      properties: ['subjectId'],
      where: 'event_type in (12, 13)',
    },
    {
      name: 'webhook_deliveries_subject',
      properties: ['webhookId', 'subjectId', 'eventId'],
      where: 'subject_id is not null',
    },
  ],
});

/** One try; without a duration it has not ended, or its process vanished. */
export const webhookAttemptTable = defineColumns('webhook_attempts', {
  deliveryId: column.uuid().primary().internal(),
  number: column.integer().primary(),
  startTime: column.time(),
  durationMs: column.integer().nullable().internal(),
  /** Null when no answer came. */
  statusCode: column.integer().nullable(),
  error: column.text(),
});

export const WebhookAttemptSchema = defineEntityOf(webhookAttemptTable, { name: 'WebhookAttempt' });
