import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { TaskStatus } from '#contract/scheduler/v1/task_types';
import type { NotificationValues } from '../notifications/notification.columns.ts';
import type { DigestFacts, Passage, StatusWords, TaskFacts } from './locales/phrases.ts';
import { layOutMail } from './mail-layout.ts';
import { pageUrl, taskUrl, unsubscribeUris, type MailLinks } from './mail-links.ts';
import type { Wording } from './wording.ts';
import type { OutgoingMail } from './mail-sender.ts';
import { userText } from './user-text.ts';

/** A task in a digest. */
export type DigestMember = Pick<NotificationValues, 'taskTitle' | 'dueTime'>;

/** The part of a notification that its mail tells. */
export type MailedNotification = Pick<
  NotificationValues,
  | 'id'
  | 'recipientId'
  | 'kind'
  | 'taskId'
  | 'taskTitle'
  | 'dueTime'
  | 'dueVersion'
  | 'previousStatus'
  | 'status'
  | 'actor'
  | 'digestTaskCount'
>;

/** A notification, and for whom its mail is written. */
export interface NotificationMail {
  mailId: string;
  notification: MailedNotification;
  /** Of a digest: its first members. */
  members: readonly DigestMember[];
  /** The name of who did it; empty when it is not known. */
  actorName: string;
  to: { name: string; address: string };
  wording: Wording;
}

const statusWord: Partial<Record<TaskStatus, keyof StatusWords>> = {
  [TaskStatus.PENDING]: 'pending',
  [TaskStatus.IN_PROGRESS]: 'inProgress',
  [TaskStatus.COMPLETED]: 'completed',
  [TaskStatus.CANCELLED]: 'cancelled',
};

function factsOf({ notification, actorName, wording }: NotificationMail): TaskFacts {
  const { taskTitle, dueTime, status, previousStatus } = notification;
  const word = (each: TaskStatus): string => wording.phrases.statuses[statusWord[each] ?? 'unknown'];
  return {
    title: userText(taskTitle),
    actor: userText(actorName) || undefined,
    dueTime: dueTime === null ? undefined : wording.formatTime(dueTime),
    status: word(status),
    previousStatus: word(previousStatus),
  };
}

function digestFactsOf({ notification, members, wording }: NotificationMail): DigestFacts {
  const tasks = members.map(({ taskTitle, dueTime }) => ({
    title: userText(taskTitle),
    dueTime: dueTime === null ? undefined : wording.formatTime(dueTime),
  }));
  return { count: notification.digestTaskCount, tasks };
}

function passageOf(mail: NotificationMail): Passage | undefined {
  const { phrases } = mail.wording;
  if (mail.notification.digestTaskCount > 0) return phrases.overdueDigest(digestFactsOf(mail));
  switch (mail.notification.kind) {
    case NotificationKind.OVERDUE:
      return phrases.overdue(factsOf(mail));
    case NotificationKind.STATUS_CHANGED:
      return phrases.statusChanged(factsOf(mail));
    case NotificationKind.ASSIGNED:
      return phrases.assigned(factsOf(mail));
    case NotificationKind.COMMENTED:
      return phrases.commented(factsOf(mail));
    case NotificationKind.MENTIONED:
      return phrases.mentioned(factsOf(mail));
    case NotificationKind.WEBHOOK_DISABLED:
      return phrases.webhookDisabled();
    default:
      return undefined;
  }
}

/** Undefined for a kind that a later release has added. */
export function writeNotificationMail(source: NotificationMail, links: MailLinks): OutgoingMail | undefined {
  const { mailId, notification, to, wording } = source;
  const passage = passageOf(source);
  if (passage === undefined) return undefined;
  const name = userText(to.name);
  const isAboutTask = notification.digestTaskCount === 0 && notification.taskId !== null;
  return {
    id: mailId,
    to: { name, address: to.address },
    ...layOutMail({
      language: wording.language,
      greeting: wording.phrases.greeting(name === '' ? undefined : name),
      passage,
      linkUrl: isAboutTask ? taskUrl(links, notification.taskId ?? '') : pageUrl(links, 'inbox'),
      token: undefined,
      footer: wording.phrases.whyNotification,
    }),
    unsubscribe: unsubscribeUris(links),
  };
}
