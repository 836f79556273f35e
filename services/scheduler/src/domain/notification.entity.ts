import { defineEntity, p } from '@mikro-orm/core';
import { columnTypes } from '#libs/db';
import type { NotificationKind } from '#contract/scheduler/v1/notifications';
import type { TaskStatus } from '#contract/tasks/v1/tasks';

/**
 * pending: still to be delivered; a job does it. delivered: on every way that its recipient wants. muted: the recipient wants
 * none. stale: dropped, since its subject had changed before it went out. dead: its job died; a person decides.
 */
export type NotificationState = 'pending' | 'delivered' | 'muted' | 'stale' | 'dead';

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
  /** It waits for the hour that the recipient has chosen. */
  waitsForHour: boolean;
}

export const NotificationSchema = defineEntity({
  name: 'Notification',
  tableName: 'notifications',
  properties: {
    id: p.uuid().primary(),
    recipientId: p.uuid(),
    /** Null when no event of a task is behind it. */
    eventId: p.bigint().nullable(),
    kind: p.smallint(),
    taskId: p.uuid().nullable(),
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
    /** It gets no job before; 'infinity' while the recipient's hour has not been looked up. */
    deliverAfter: p.datetime(3).defaultRaw('now()'),
    /** The job that delivers it; null = none has been made. */
    jobId: p.text().nullable(),
    enqueueTime: p.datetime(3).nullable(),
    deliverTime: p.datetime(3).nullable(),
    createTime: p.datetime(3),
    /** Once delivered: whether it is an entry of the inbox. What stands in a digest, or was muted there, is none. */
    inInbox: p.boolean().default(true),
    readTime: p.datetime(3).nullable(),
    /** The notification that stands for this one and others; its own id in that one. */
    digestId: p.uuid().nullable(),
    /** Of a digest: how many it stands for, and when it last grew. */
    digestSize: p.integer().default(0),
    digestTime: p.datetime(3).nullable(),
    /** The webhook that it is about. */
    webhookId: p.uuid().nullable(),
    /** Where its last change stands among all changes of inboxes; see notification-feed.ts. */
    feedTransaction: p.type(columnTypes.TransactionId).nullable(),
    feedNumber: p.integer().nullable(),
  },
  uniques: [{ name: 'notifications_event_recipient', properties: ['eventId', 'recipientId'] }],
  indexes: [
    // A recipient's inbox, in its order; all of it, and what is unread.
    { name: 'notifications_inbox', properties: ['recipientId', 'deliverTime', 'id'], where: "state = 'delivered' and in_inbox" },
    { name: 'notifications_unread', properties: ['recipientId', 'deliverTime', 'id'], where: "state = 'delivered' and in_inbox and read_time is null" },
    // Changes of all inboxes, and of one.
    { name: 'notifications_feed', properties: ['feedTransaction', 'feedNumber'], where: 'feed_transaction is not null' },
    { name: 'notifications_feed_of_user', properties: ['recipientId', 'feedTransaction', 'feedNumber'], where: 'feed_transaction is not null' },
    // What is still to be told of a task before something newer, and what newer has been told.
    { name: 'notifications_pending_of_user', properties: ['recipientId', 'taskId', 'eventId'], where: "state = 'pending'" },
    { name: 'notifications_changes', properties: ['recipientId', 'taskId', 'taskVersion'], where: 'kind in (2, 3)' },
    { name: 'notifications_digest', properties: ['digestId', 'id'], where: 'digest_id is not null' },
    { name: 'notifications_digests_of_user', properties: ['recipientId', 'digestTime'], where: 'digest_time is not null' },
    // What has no job yet, in the order of its turn.
    { name: 'notifications_unclaimed', properties: ['deliverAfter', 'id'], where: "state = 'pending' and job_id is null" },
    // Which jobs should be alive.
    { name: 'notifications_pending', properties: ['jobId', 'id'], where: "state = 'pending'" },
    // What a job that has ended was for.
    { name: 'notifications_job', properties: ['jobId'], where: "state <> 'pending'" },
  ],
});

/** The ways out; the settings of the recipient choose among them. */
export type Channel = 'inbox' | 'email' | 'webhook';

/**
 * delivered: it is in the inbox. digested: a digest stands for it there. queued: to the recipient's webhooks, each with a
 * delivery of its own. muted: not wanted there. unsupported: there is no such way yet. stale, dead: as of the notification.
 */
export type ChannelOutcome = 'delivered' | 'digested' | 'queued' | 'muted' | 'unsupported' | 'stale' | 'dead';

/** What happened to a notification on one way out. */
export const DeliverySchema = defineEntity({
  name: 'Delivery',
  tableName: 'deliveries',
  properties: {
    notificationId: p.uuid().primary(),
    channel: p.text().primary(),
    /** A ChannelOutcome. */
    outcome: p.text(),
    attempts: p.integer(),
    /** Why it died; empty otherwise. */
    error: p.text(),
    createTime: p.datetime(3),
  },
});
