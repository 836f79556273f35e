import { mailKindFromJSON, mailKindToNumber } from '#contract/scheduler/v1/mails';
import { column, defineColumns, defineEntityOf, type Stored } from '#libs/db';

/**
 * pending: still to be sent. in-doubt: the end of the message was about to be written, so the server may have accepted it.
 * sent: the server has accepted it. stale: dropped, since what it says was no longer true. dead: refused, given up, or in doubt
 * when its process vanished; an administrator decides.
 */
export type MailState = 'pending' | 'in-doubt' | 'sent' | 'stale' | 'dead';

/** Everything that is stored of a mail; neither its text nor an address or a token. */
export const mailTable = defineColumns('mails', {
  /** The first part of its Message-ID; chosen by the service that handed it over. */
  id: column.uuid().primary(),
  /** UNSPECIFIED for the mail of a notification. */
  kind: column.coded(mailKindToNumber, mailKindFromJSON),
  /** What it tells of; null for a mail that another service handed over. */
  notificationId: column.uuid().nullable(),
  /** The account; null while it is not known, and for good when there is none yet. */
  recipientId: column.uuid().nullable(),
  state: column.text<MailState>(),
  /** How often it was begun. */
  attempts: column.integer().defaultsTo('0'),
  /** What the server answered to the last attempt; null when it answered nothing. */
  lastCode: column.integer().nullable(),
  /** Why the last attempt failed, without anything that a server has written: that may name the recipient. */
  lastError: column.text().defaultsTo(`''`),
  /** When the attempt that is under way began; null while there is none. */
  attemptTime: column.time().nullable(),
  firstAttemptTime: column.time().nullable(),
  /** It gets no job before this time. */
  nextAttemptTime: column.time().nullable(),
  /** The job that sends it; null = there is none yet. */
  jobId: column.text().nullable(),
  enqueueTime: column.time().nullable(),
  callId: column.text(),
  traceParent: column.text(),
  createTime: column.time(),
  finishTime: column.time().nullable(),
});
export type MailValues = Stored<typeof mailTable.columns>;

export const MailSchema = defineEntityOf(mailTable, {
  name: 'Mail',
  uniques: [{ name: 'mails_notification', properties: ['notificationId'] }],
  indexes: [
    {
      name: 'mails_due',
      properties: ['nextAttemptTime', 'id'],
      where: "state in ('pending', 'in-doubt') and job_id is null",
    },
    { name: 'mails_running', properties: ['jobId'], where: 'job_id is not null' },
    {
      name: 'mails_of_recipient',
      properties: ['recipientId', 'finishTime'],
      where: "state = 'sent' or attempt_time is not null",
    },
    { name: 'mails_finished', properties: ['finishTime'], where: 'finish_time is not null' },
  ],
});
