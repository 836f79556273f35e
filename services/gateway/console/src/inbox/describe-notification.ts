import { NotificationKind, type Notification } from '#client/scheduler';
import { statusLabel } from '../tasks/words.ts';
import type { IconName } from '../ui/icon.tsx';

export interface NotificationInWords {
  icon: IconName;
  tone: 'late' | 'news' | 'fault';
  text: string;
}

const describeBy: Partial<Record<NotificationKind, (notification: Notification) => NotificationInWords>> = {
  [NotificationKind.OVERDUE]: () => ({ icon: 'clock', tone: 'late', text: 'is overdue' }),
  [NotificationKind.STATUS_CHANGED]: ({ status, previousStatus }) => ({
    icon: 'check',
    tone: 'news',
    text: `went from ${statusLabel(previousStatus).toLowerCase()} to ${statusLabel(status).toLowerCase()}`,
  }),
  [NotificationKind.ASSIGNED]: () => ({ icon: 'person', tone: 'news', text: 'was assigned to you' }),
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
  describeBy[notification.kind]?.(notification) ?? { icon: 'bell', tone: 'news', text: 'has changed' };
