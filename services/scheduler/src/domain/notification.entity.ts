import { defineEntity, p } from '@mikro-orm/core';
import type { NotificationKind } from '#contract/scheduler/v1/notifications';
import type { TaskStatus } from '#contract/tasks/v1/tasks';

/**
 * pending: still to be delivered; a job does it. delivered: in the recipient's inbox. stale: dropped, since its subject had
 * changed before it went out. dead: its job died; a person decides.
 */
export type NotificationState = 'pending' | 'delivered' | 'stale' | 'dead';

/** What one event means to one recipient; stored in the transaction that moves the event cursor. */
export interface NewNotification {
  id: string;
  recipientId: string;
  /** With the recipient, the identity of the notification: the event's id in the log of tasks. */
  eventId: bigint;
  kind: NotificationKind;
  taskId: string;
  /** This and all below: as it was when the event happened. */
  taskTitle: string;
  dueTime: Date | null;
  dueVersion: bigint;
  taskVersion: bigint;
  previousStatus: TaskStatus;
  status: TaskStatus;
  actor: string;
  callId: string;
  traceParent: string;
  eventTime: Date;
}

export const NotificationSchema = defineEntity({
  name: 'Notification',
  tableName: 'notifications',
  properties: {
    id: p.uuid().primary(),
    recipientId: p.uuid(),
    eventId: p.bigint(),
    kind: p.smallint(),
    taskId: p.uuid(),
    taskTitle: p.text(),
    dueTime: p.datetime(3).nullable(),
    dueVersion: p.bigint(),
    taskVersion: p.bigint(),
    previousStatus: p.smallint(),
    status: p.smallint(),
    actor: p.text(),
    callId: p.text(),
    traceParent: p.text(),
    eventTime: p.datetime(3),
    state: p.text(),
    /** The job that delivers it; null = none has been made. */
    jobId: p.text().nullable(),
    enqueueTime: p.datetime(3).nullable(),
    deliverTime: p.datetime(3).nullable(),
    createTime: p.datetime(3),
  },
  uniques: [{ name: 'notifications_event_recipient', properties: ['eventId', 'recipientId'] }],
  indexes: [
    // A recipient's inbox, in its order.
    { name: 'notifications_inbox', properties: ['recipientId', 'deliverTime', 'id'], where: "state = 'delivered'" },
    // What has no job yet, and which jobs should be alive.
    { name: 'notifications_pending', properties: ['jobId', 'id'], where: "state = 'pending'" },
  ],
});

/** What happened to a notification on one way out. */
export const DeliverySchema = defineEntity({
  name: 'Delivery',
  tableName: 'deliveries',
  properties: {
    notificationId: p.uuid().primary(),
    channel: p.text().primary(),
    /** delivered, stale or dead */
    outcome: p.text(),
    attempts: p.integer(),
    /** Why it died; empty otherwise. */
    error: p.text(),
    createTime: p.datetime(3),
  },
});
