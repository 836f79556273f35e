import type { MailValues } from './mail.columns.ts';
import type { MailRun } from './mail.repository.ts';
import type { DigestMember, MailedNotification } from './notification-mail.ts';

/** A mail as its job needs it. */
export type RunningMail = Pick<MailValues, 'id' | 'state' | 'attempts' | 'notificationId'>;

/** Reads mails and what they tell. */
export interface MailReader {
  /** Undefined when the job has nothing to do with it (any more). */
  running(run: MailRun): Promise<RunningMail | undefined>;
  /** With the first members of a digest; undefined when it has been pruned. */
  notification(id: string): Promise<{ notification: MailedNotification; members: DigestMember[] } | undefined>;
}
