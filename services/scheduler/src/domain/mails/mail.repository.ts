import type { MailKind } from '#contract/scheduler/v1/mails';
import type { Prune } from '../events/retention.ts';
import type { JobEffect, JobRows } from '../jobs/job-rows.ts';

/** A mail of another service, as it was handed over. */
export interface HandedOverMail {
  mailId: string;
  kind: MailKind;
  callId: string;
  traceParent: string;
}

/** A job with the mail that it is to send. */
export interface MailRun {
  mailId: string;
  jobId: string;
}

/** The state that a mail is in when an attempt begins. */
export interface MailBeginning {
  /** How often it was begun before. */
  attempts: number;
  /** Undefined when the recipient has no account. */
  recipientId: string | undefined;
  /** So many mails may one account get in an hour before this one waits; undefined: it does not wait. */
  maxPerHour: number | undefined;
}

/** lost: another job has it, or it has ended. postponed: its recipient has got many mails within the hour. */
export type BegunMail =
  { outcome: 'begun'; attempts: number; firstAttemptTime: Date } | { outcome: 'lost' | 'postponed' };

/** How an attempt ends; pending: it is tried again at `retryTime`. */
export interface MailEnd {
  state: 'pending' | 'sent' | 'stale' | 'dead';
  code: number | undefined;
  error: string;
  retryTime: Date | undefined;
}

/** Mails and their state. Attempts are numbered, so that a process which was frozen cannot go on with one of another. */
export interface MailRepository extends JobRows {
  /** Whether it is new; one that is known stays as it is. */
  add(mail: HandedOverMail): Promise<boolean>;
  /** One for each notification; of a digest after it has been quiet for `digestQuietMs`. Returns how many are new. */
  queue(notificationIds: readonly string[], digestQuietMs: number): Promise<number>;
  /** The mails of digests that have grown, unless an attempt was made, wait until they have been quiet. */
  postponeDigests(notificationIds: readonly string[], digestQuietMs: number): Promise<void>;
  /** Records a job for up to `limit` mails whose time has come. */
  claim(limit: number, newJobId: () => string): Promise<(MailRun & { callId: string; traceParent: string })[]>;
  begin(run: MailRun, beginning: MailBeginning): Promise<BegunMail>;
  /** Records that the end of the message is about to be written. False: this attempt may not write it. */
  doubt(run: MailRun, attempts: number): Promise<boolean>;
  /** False when the attempt is no longer the mail's last one. A mail that was sent after all is sent. */
  end(mailId: string, attempts: number, end: MailEnd): Promise<boolean>;
  /** Ends the mail of a dead job. */
  bury(mailId: string, error: string): Promise<void>;
  /** Makes a dead mail pending again, with the time of a new one. */
  revive(mailId: string): Promise<JobEffect[]>;
  prune: Prune;
}
