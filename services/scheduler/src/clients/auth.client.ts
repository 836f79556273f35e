import { InternalAuthServiceService } from '#contract/auth/v1/auth';
import { AppError } from '#libs/errors';
import { createClient, type ClientOptions } from '#libs/grpc';
import type { AccountMailsPort } from '../domain/mails/account-mails.port.ts';

const isObsolete = (error: unknown): boolean => error instanceof AppError && error.reason === 'MAIL_NOT_FOUND';

export function openAuth(options: Omit<ClientOptions, 'callee'>): AccountMailsPort & { close(): void } {
  const auth = createClient(InternalAuthServiceService, { ...options, callee: 'auth' });
  return {
    find: async (mailId) => {
      try {
        return await auth.client.getMail({ mailId });
      } catch (error) {
        if (isObsolete(error)) return undefined;
        throw error;
      }
    },
    close: auth.close,
  };
}
