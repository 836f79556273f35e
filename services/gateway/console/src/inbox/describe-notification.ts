import { NotificationKind, type Notification } from '#client/scheduler';
import { statusLabel } from '../tasks/words.ts';
import type { IconName } from '../ui/icon.tsx';

export interface NotificationInWords {
  icon: IconName;
  tone: 'late' | 'news' | 'fault';
  text: string;
}

type Describe = (notification: Notification) => NotificationInWords;
/** Each kind of this release has words: the type asks for them. */
type Kind = Exclude<NotificationKind, NotificationKind.UNSPECIFIED>;

const describeBy: Readonly<Record<Kind, Describe>> = {
  [NotificationKind.OVERDUE]: () => ({ icon: 'clock', tone: 'late', text: 'is overdue' }),
  [NotificationKind.STATUS_CHANGED]: ({ status, previousStatus }) => ({
    icon: 'check',
    tone: 'news',
    text: `went from ${statusLabel(previousStatus).toLowerCase()} to ${statusLabel(status).toLowerCase()}`,
  }),
  [NotificationKind.ASSIGNED]: () => ({ icon: 'person', tone: 'news', text: 'was assigned to you' }),
  [NotificationKind.COMMENTED]: () => ({ icon: 'mail', tone: 'news', text: 'has a new comment' }),
  [NotificationKind.MENTIONED]: () => ({ icon: 'mail', tone: 'news', text: 'has a comment that mentions you' }),
  [NotificationKind.OVERDUE_DIGEST]: ({ digestTaskCount }) => ({
    icon: 'clock',
    tone: 'late',
    text: `and ${digestTaskCount - 1} more tasks are overdue`,
  }),
  [NotificationKind.WEBHOOK_DISABLED]: () => ({
    icon: 'webhook',
    tone: 'fault',
    text: 'A webhook of yours has failed for so long that it was switched off',
  }),
};

/** A later release may tell of other things. */
export const describeNotification = (notification: Notification): NotificationInWords =>
  (describeBy as Partial<Record<NotificationKind, Describe>>)[notification.kind]?.(notification) ?? {
    icon: 'bell',
    tone: 'news',
    text: 'has changed',
  };
