import { timestampMs } from '@bufbuild/protobuf/wkt';
import { NotificationKind, type Notification } from '#client/scheduler';
import { dayInWords, dayOf, inSentence, timeOfDay } from '../tasks/days.ts';
import type { Viewer } from '../tasks/filters.ts';
import { statusLabel } from '../tasks/words.ts';
import type { IconName } from '../ui/icon.tsx';

export interface NotificationInWords {
  icon: IconName;
  tone: 'late' | 'news' | 'fault';
  text: string;
}

export interface Reader extends Viewer {
  nameOf: (personId: string) => string;
}

type Describe = (notification: Notification, reader: Reader) => NotificationInWords;
/** Each kind of this release has words: the type asks for them. */
type Kind = Exclude<NotificationKind, NotificationKind.UNSPECIFIED>;

/** "is overdue: it was due yesterday, 18:00"; a whole day ends at midnight, which is said as the day. */
function dueInWords({ dueTime }: Notification, { timeZone, today }: Reader): string {
  if (dueTime === undefined) return 'is overdue';
  const ms = timestampMs(dueTime);
  const time = timeOfDay(ms, timeZone);
  const isWholeDay = time === '00:00';
  const day = inSentence(dayInWords(dayOf(isWholeDay ? ms - 1 : ms, timeZone), today));
  return `is overdue: it was due ${isWholeDay ? day : `${day}, ${time}`}`;
}

const describeBy: Readonly<Record<Kind, Describe>> = {
  [NotificationKind.OVERDUE]: (one, reader) => ({
    icon: 'clock',
    tone: 'late',
    text: dueInWords(one, reader),
  }),
  [NotificationKind.STATUS_CHANGED]: ({ actor, status, previousStatus }, { nameOf }) => ({
    icon: 'check',
    tone: 'news',
    text: `${nameOf(actor)} changed the status from ${statusLabel(previousStatus)} to ${statusLabel(status)}`,
  }),
  [NotificationKind.ASSIGNED]: ({ actor }, { nameOf }) => ({
    icon: 'person',
    tone: 'news',
    text: `${nameOf(actor)} assigned it to you`,
  }),
  [NotificationKind.COMMENTED]: ({ actor }, { nameOf }) => ({
    icon: 'comment',
    tone: 'news',
    text: `${nameOf(actor)} wrote a comment`,
  }),
  [NotificationKind.MENTIONED]: ({ actor }, { nameOf }) => ({
    icon: 'comment',
    tone: 'news',
    text: `${nameOf(actor)} mentioned you in a comment`,
  }),
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
export const describeNotification = (notification: Notification, reader: Reader): NotificationInWords =>
  (describeBy as Partial<Record<NotificationKind, Describe>>)[notification.kind]?.(notification, reader) ?? {
    icon: 'bell',
    tone: 'news',
    text: 'has changed',
  };
