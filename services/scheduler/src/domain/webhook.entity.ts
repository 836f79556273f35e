import { defineEntity, p } from '@mikro-orm/core';

/** enabled: gets what its owner is told. disabled: failed for too long, or said that it is gone. deleted: to be pruned. */
export type WebhookState = 'enabled' | 'disabled' | 'deleted';

/** An endpoint of a user. */
export const WebhookSchema = defineEntity({
  name: 'Webhook',
  tableName: 'webhooks',
  properties: {
    id: p.uuid().primary(),
    ownerId: p.uuid(),
    url: p.text(),
    description: p.text(),
    /** Numbers of NotificationKind; empty = all. */
    kinds: p.array().columnType('smallint[]').$type<number[]>(),
    state: p.text(),
    /** Why it is disabled; empty otherwise. */
    disableReason: p.text(),
    disableTime: p.datetime(3).nullable(),
    /** Sealed. */
    secret: p.blob(),
    /** Sealed; signs too until it expires, so that receivers can change over. */
    previousSecret: p.blob().nullable(),
    previousSecretExpireTime: p.datetime(3).nullable(),
    version: p.bigint(),
    createTime: p.datetime(3),
    updateTime: p.datetime(3),
    /** Failed attempts since the last success, and when they began. */
    failures: p.integer(),
    failingSince: p.datetime(3).nullable(),
    lastSuccessTime: p.datetime(3).nullable(),
    /** When something is due; null = nothing waits. */
    nextRunTime: p.datetime(3).nullable(),
    /** The job that is at it: one at a time, so that order holds. */
    jobId: p.text().nullable(),
    enqueueTime: p.datetime(3).nullable(),
  },
  indexes: [
    { name: 'webhooks_of_owner', properties: ['ownerId', 'id'], where: "state <> 'deleted'" },
    { name: 'webhooks_due', properties: ['nextRunTime', 'id'], where: "state = 'enabled' and job_id is null and next_run_time is not null" },
    { name: 'webhooks_running', properties: ['jobId'], where: 'job_id is not null' },
    { name: 'webhooks_deleted', properties: ['id'], where: "state = 'deleted'" },
  ],
});

export function webhookEtag(version: bigint): string {
  return `"${version.toString(36)}"`;
}

/** pending: to be sent. stale: its subject had changed, or something newer was sent. dead: given up, or its webhook was disabled. */
export type WebhookDeliveryState = 'pending' | 'delivered' | 'stale' | 'dead';

/** One message for one webhook. */
export const WebhookDeliverySchema = defineEntity({
  name: 'WebhookDelivery',
  tableName: 'webhook_deliveries',
  properties: {
    id: p.uuid().primary(),
    webhookId: p.uuid(),
    /** Null for a test. */
    notificationId: p.uuid().nullable(),
    kind: p.smallint(),
    /** Null for a digest or a test: then it stands in no order. */
    taskId: p.uuid().nullable(),
    taskVersion: p.bigint(),
    eventId: p.bigint(),
    /** The header webhook-id, the same for every attempt. */
    messageId: p.text(),
    /** Written when it is first sent, and the same ever after. */
    body: p.text().nullable(),
    state: p.text(),
    attempts: p.integer(),
    /** Its day of attempts counts from here. */
    firstAttemptTime: p.datetime(3).nullable(),
    nextAttemptTime: p.datetime(3).nullable(),
    /** Asked for again: not held back by order. */
    redelivery: p.boolean().default(false),
    lastStatusCode: p.integer().nullable(),
    lastError: p.text().default(''),
    createTime: p.datetime(3),
    finishTime: p.datetime(3).nullable(),
  },
  uniques: [{ name: 'webhook_deliveries_notification', properties: ['notificationId', 'webhookId'] }],
  indexes: [
    { name: 'webhook_deliveries_log', properties: ['webhookId', 'createTime', 'id'] },
    { name: 'webhook_deliveries_due', properties: ['webhookId', 'nextAttemptTime'], where: "state = 'pending'" },
    { name: 'webhook_deliveries_finished', properties: ['finishTime'], where: 'finish_time is not null' },
    { name: 'webhook_deliveries_task', properties: ['webhookId', 'taskId', 'taskVersion'], where: 'task_id is not null' },
  ],
});

/** One try; without a duration it has not ended, or its process vanished. */
export const WebhookAttemptSchema = defineEntity({
  name: 'WebhookAttempt',
  tableName: 'webhook_attempts',
  properties: {
    deliveryId: p.uuid().primary(),
    number: p.integer().primary(),
    startTime: p.datetime(3),
    durationMs: p.integer().nullable(),
    /** Null when no answer came. */
    statusCode: p.integer().nullable(),
    error: p.text(),
  },
});
