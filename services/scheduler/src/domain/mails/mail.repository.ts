import type { MailKind } from '#contract/scheduler/v1/mails';

/** A mail of another service, as it was handed over. */
export interface HandedOverMail {
  mailId: string;
  kind: MailKind;
  callId: string;
  traceParent: string;
}

/** Mails and their state. */
export interface MailRepository {
  /** Whether it is new; one that is known stays as it is. */
  add(mail: HandedOverMail): Promise<boolean>;
}
