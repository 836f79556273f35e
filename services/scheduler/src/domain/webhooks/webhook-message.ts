import { NotificationKind, WebhookMessageType, type Notification } from '#contract/scheduler/v1/notifications';
import { Webhook as Signer } from 'standardwebhooks';
import { eventTypeNames, type EventType } from './event-types.ts';
import type { Happening } from './happening.ts';

/** The type of each kind, in messages and in the contract. */
const types: Partial<Record<NotificationKind, readonly [string, WebhookMessageType]>> = {
  [NotificationKind.OVERDUE]: ['task.overdue', WebhookMessageType.TASK_OVERDUE],
  [NotificationKind.STATUS_CHANGED]: ['task.status_changed', WebhookMessageType.TASK_STATUS_CHANGED],
  [NotificationKind.ASSIGNED]: ['task.assigned', WebhookMessageType.TASK_ASSIGNED],
  [NotificationKind.COMMENTED]: ['task.commented', WebhookMessageType.TASK_COMMENTED],
  [NotificationKind.MENTIONED]: ['task.mentioned', WebhookMessageType.TASK_MENTIONED],
  [NotificationKind.OVERDUE_DIGEST]: ['tasks.overdue_digest', WebhookMessageType.TASKS_OVERDUE_DIGEST],
};
const testType = ['webhook.test', WebhookMessageType.WEBHOOK_TEST] as const;

/** A test has no kind. */
const typeOf = (kind: NotificationKind): string => (types[kind] ?? testType)[0];
export const messageTypeOf = (kind: NotificationKind): WebhookMessageType => (types[kind] ?? testType)[1];

/** The data of each type, in addition to the fields of all types. */
function dataOf({ kind, ...notification }: Notification): object {
  if (kind === NotificationKind.OVERDUE_DIGEST) return { count: notification.digestTaskCount };
  const task = {
    task_id: notification.taskId,
    task_version: String(notification.taskVersion),
    task_title: notification.taskTitle,
    actor: notification.actor,
  };
  if (kind === NotificationKind.OVERDUE) return { ...task, due_time: notification.dueTime?.toISOString() };
  if (notification.commentId !== '') return { ...task, comment_id: notification.commentId };
  if (kind !== NotificationKind.STATUS_CHANGED) return task;
  return { ...task, previous_status: notification.previousStatus, status: notification.status };
}

/** The body of a message about a notification of `recipientId`. */
export function writeBody(notification: Notification, recipientId: string): string {
  const { id, kind, eventTime } = notification;
  const data = { notification_id: id, recipient_id: recipientId, ...dataOf(notification) };
  return JSON.stringify({ type: typeOf(kind), timestamp: eventTime?.toISOString(), data });
}

/** The body of a message about something that happened. */
export function writeEventBody(type: EventType, { time, actor, projectId, data }: Happening): string {
  const where = projectId === '' ? {} : { project_id: projectId };
  return JSON.stringify({
    type: eventTypeNames[type],
    timestamp: time.toISOString(),
    data: { actor, ...where, ...data },
  });
}

/** The body of a message that tells that the log has lost what was sent lately. */
export function writeRestoredBody(webhookId: string, now: Date): string {
  return JSON.stringify({ type: 'log.restored', timestamp: now.toISOString(), data: { webhook_id: webhookId } });
}

export function writeTestBody(webhookId: string, now: Date): string {
  return JSON.stringify({ type: testType[0], timestamp: now.toISOString(), data: { webhook_id: webhookId } });
}

const secretPrefix = 'whsec_';

/** The text form of a secret for its owner. */
export function toSecretText(secret: Uint8Array): string {
  return secretPrefix + Buffer.from(secret).toString('base64');
}

/** The headers of a message, signed by each of the secrets, the current one first. */
export function signMessage(
  secrets: readonly Uint8Array[],
  message: { id: string; body: string },
  now: Date,
): Record<string, string> {
  const signatures = secrets.map((secret) => new Signer(toSecretText(secret)).sign(message.id, now, message.body));
  return {
    'content-type': 'application/json; charset=utf-8',
    'user-agent': 'TaskFlow-Webhooks/1',
    'webhook-id': message.id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
    'webhook-signature': signatures.join(' '),
  };
}
