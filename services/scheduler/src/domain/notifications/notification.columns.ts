import {
  Notification,
  NotificationKind,
  notificationKindFromJSON,
  notificationKindToNumber,
} from '#contract/scheduler/v1/notifications';
import { taskStatusFromJSON, taskStatusToNumber } from '#contract/scheduler/v1/task_types';
import { column, defineColumns, defineEntityOf, defineMessage, type Stored } from '#libs/db';

/**
 * pending: a job is still to deliver it. delivered: on every channel that its recipient wants. muted: the recipient wants no
 * channel. stale: dropped, since its subject had changed before its delivery. dead: its job died; an administrator decides.
 */
export type NotificationState = 'pending' | 'delivered' | 'muted' | 'stale' | 'dead';

/**
 * Everything that is stored of a notification: one event for one recipient, inserted by the transaction that moves the event
 * cursor. A column that is not internal is the field of its name in the message.
 */
export const notificationTable = defineColumns('notifications', {
  id: column.uuid().primary(),
  recipientId: column.uuid().internal(),
  /** The event's id in the log of tasks; unique together with the recipient. Null when the notification is about no event. */
  eventId: column.bigint().nullable().internal(),
  kind: column.coded(notificationKindToNumber, notificationKindFromJSON).internal(),
  taskId: column.uuid().nullable(),
  /** This column and the next ones, up to the event's time: the state at the time of the event. '' when it was erased. */
  taskTitle: column.text(),
  dueTime: column.time().nullable(),
  dueVersion: column.bigint().internal(),
  taskVersion: column.bigint(),
  previousStatus: column.coded(taskStatusToNumber, taskStatusFromJSON),
  status: column.coded(taskStatusToNumber, taskStatusFromJSON),
  actor: column.text(),
  callId: column.text().internal(),
  traceParent: column.text().internal(),
  eventTime: column.time(),
  state: column.text<NotificationState>().internal(),
  /** It gets no job before this time; 'infinity' while the recipient's hour has not been looked up. */
  deliverAfter: column.timeOrInfinity().defaultsTo('now()').internal(),
  /** The job that delivers it; null = there is none yet. */
  jobId: column.text().nullable().internal(),
  enqueueTime: column.time().nullable().internal(),
  deliverTime: column.time().nullable(),
  createTime: column.time().internal(),
  /** Once delivered: whether it is an entry of the inbox. Members of a digest and muted notifications are not. */
  inInbox: column.boolean().defaultsTo('true').internal(),
  readTime: column.time().nullable(),
  /** The notification that represents this one and others; its own id in that one. */
  digestId: column.uuid().nullable().internal(),
  /** Of a digest: how many notifications it represents, and when it last grew. */
  digestTaskCount: column.integer().named('digest_size').defaultsTo('0'),
  digestTime: column.time().nullable().internal(),
  /** The webhook that was disabled. */
  webhookId: column.uuid().nullable(),
  /** The comment that it is about. */
  commentId: column.uuid().nullable(),
  /** The place of its last change among all changes of inboxes; see notification-feed.ts. */
  feedTransaction: column.transactionId().nullable().internal(),
  feedNumber: column.integer().nullable().internal(),
  /** Null: a release that did not know incarnations has changed it. */
  feedIncarnation: column.bigint().nullable().internal(),
});
export type NotificationValues = Stored<typeof notificationTable.columns>;

/** What is the same of every notification that is still to be delivered. */
const pending = {
  state: 'pending',
  deliverTime: null,
  inInbox: true,
  readTime: null,
  digestId: null,
  digestTaskCount: 0,
  digestTime: null,
  webhookId: null,
  feedTransaction: null,
  feedNumber: null,
  feedIncarnation: null,
} as const satisfies Partial<NotificationValues>;
type Planned = 'deliverAfter' | 'jobId' | 'enqueueTime' | 'createTime';

/** The part of a notification that follows from its event. */
export type NewNotification = Omit<NotificationValues, keyof typeof pending | Planned> & {
  /** It waits for the hour that the recipient has chosen. */
  waitsForHour: boolean;
};

/** A notification that is still to be delivered, by the job when there is one. */
export function toPending(
  { waitsForHour, ...notification }: NewNotification,
  jobId: string | null,
  now: Date,
): NotificationValues {
  const deliverAfter = waitsForHour ? 'infinity' : now;
  return {
    ...notification,
    ...pending,
    deliverAfter,
    jobId,
    enqueueTime: jobId === null ? null : now,
    createTime: now,
  };
}

/** A digest is shown as one, whatever the kind of the notification that represents it. */
export const toMessage = defineMessage<Notification, void>(Notification.fromPartial({}))(notificationTable, {
  kind: ({ kind, digestTaskCount }) => (digestTaskCount > 0 ? NotificationKind.OVERDUE_DIGEST : kind),
});

export const NotificationSchema = defineEntityOf(notificationTable, {
  name: 'Notification',
  uniques: [{ name: 'notifications_event_recipient', properties: ['eventId', 'recipientId'] }],
  indexes: [
    // A recipient's inbox in its order: all of it, and the unread part.
    {
      name: 'notifications_inbox',
      properties: ['recipientId', 'deliverTime', 'id'],
      where: "state = 'delivered' and in_inbox",
    },
    {
      name: 'notifications_unread',
      properties: ['recipientId', 'deliverTime', 'id'],
      where: "state = 'delivered' and in_inbox and read_time is null",
    },
    // Changes of all inboxes, and of one.
    {
      name: 'notifications_feed',
      properties: ['feedTransaction', 'feedNumber'],
      where: 'feed_transaction is not null',
    },
    {
      name: 'notifications_feed_of_user',
      properties: ['recipientId', 'feedTransaction', 'feedNumber'],
      where: 'feed_transaction is not null',
    },
    // Earlier notifications of a task that are pending, and newer ones that were delivered.
    {
      name: 'notifications_pending_of_user',
      properties: ['recipientId', 'taskId', 'eventId'],
      where: "state = 'pending'",
    },
    { name: 'notifications_changes', properties: ['recipientId', 'taskId', 'taskVersion'], where: 'kind in (2, 3)' },
    { name: 'notifications_comments', properties: ['recipientId', 'taskId'], where: 'kind in (10, 11)' },
    { name: 'notifications_overdue_of_task', properties: ['recipientId', 'taskId'], where: 'kind = 1' },
    { name: 'notifications_digest', properties: ['digestId', 'id'], where: 'digest_id is not null' },
    {
      name: 'notifications_digests_of_user',
      properties: ['recipientId', 'digestTime'],
      where: 'digest_time is not null',
    },
    // Notifications without a job, in the order of their turn.
    {
      name: 'notifications_unclaimed',
      properties: ['deliverAfter', 'id'],
      where: "state = 'pending' and job_id is null",
    },
    // Which jobs should be alive.
    { name: 'notifications_pending', properties: ['jobId', 'id'], where: "state = 'pending'" },
    // The notifications of a job that has ended.
    { name: 'notifications_job', properties: ['jobId'], where: "state <> 'pending'" },
  ],
});

/** The channels; the settings of the recipient choose among them. */
export type Channel = 'inbox' | 'email' | 'webhook';

/**
 * delivered: it is in the inbox. digested: a digest represents it there. queued: for the recipient's webhooks, each with a
 * delivery of its own, or as a mail. muted: not wanted there. unsupported: this server does not have the channel. unverified:
 * the recipient's address is not. stale, dead: as the notification.
 */
export type ChannelOutcome =
  'delivered' | 'digested' | 'queued' | 'muted' | 'unsupported' | 'unverified' | 'stale' | 'dead';

/** The outcome of a notification on one channel. */
export const deliveryTable = defineColumns('deliveries', {
  notificationId: column.uuid().primary().internal(),
  channel: column.text<Channel>().primary().internal(),
  outcome: column.text<ChannelOutcome>().internal(),
  attemptCount: column.integer().named('attempts'),
  /** Why it died; empty otherwise. */
  error: column.text(),
  createTime: column.time(),
});
export type DeliveryValues = Stored<typeof deliveryTable.columns>;

export const DeliverySchema = defineEntityOf(deliveryTable, { name: 'Delivery' });
