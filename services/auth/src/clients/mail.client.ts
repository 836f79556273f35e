import { InternalMailsServiceService, MailKind as MailKindMessage } from '#contract/scheduler/v1/mails';
import { createClient } from '#libs/grpc';
import type { ServiceIdentity } from '#libs/identity';
import type { Logger, Metrics } from '#libs/runtime';
import type { MailKind } from '../domain/mail.columns.ts';
import type { MailHandOver } from '../domain/mail.repository.ts';

export interface MailClientOptions {
  address: string;
  identity: ServiceIdentity;
  logger: Logger;
  metrics: Metrics;
}

export interface MailClient {
  /** Throws AppError when the scheduler did not take it. */
  handOver(mail: MailHandOver): Promise<void>;
  close(): void;
}

const kindMessages: Record<MailKind, MailKindMessage> = {
  password_reset: MailKindMessage.PASSWORD_RESET,
  email_verification: MailKindMessage.EMAIL_VERIFICATION,
  invitation: MailKindMessage.INVITATION,
  password_changed: MailKindMessage.PASSWORD_CHANGED,
  account_recovered: MailKindMessage.ACCOUNT_RECOVERED,
  email_change_requested: MailKindMessage.EMAIL_CHANGE_REQUESTED,
  email_changed: MailKindMessage.EMAIL_CHANGED,
  account_deleted: MailKindMessage.ACCOUNT_DELETED,
  account_created: MailKindMessage.ACCOUNT_CREATED,
  project_invitation: MailKindMessage.PROJECT_INVITATION,
};

/** Hands mails over to the scheduler, which asks what they say when it sends them. */
export function createMailClient(options: MailClientOptions): MailClient {
  const { client, close } = createClient(InternalMailsServiceService, { callee: 'scheduler', ...options });
  return {
    handOver: async ({ mailId, kind }) => void (await client.handOverMail({ mailId, kind: kindMessages[kind] })),
    close,
  };
}
