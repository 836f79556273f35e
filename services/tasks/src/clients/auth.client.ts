import { InternalAuthServiceService } from '#contract/auth/v1/auth';
import { createClient, type ClientOptions } from '#libs/grpc';
import { remainingMs, type Logger } from '#libs/runtime';
import type { Invitees } from '../deps.ts';

/** The most that a list waits for e-mails. */
const emailsMs = 1000;

/** The service that keeps whom invitations invite, and mails them. */
export function openInvitees(
  options: Omit<ClientOptions, 'callee'> & { logger: Logger },
): Invitees & { close(): void } {
  const auth = createClient(InternalAuthServiceService, { ...options, callee: 'auth' });
  return {
    mail: async ({ expireTime, ...mail }) =>
      void (await auth.client.mailProjectInvitation({ ...mail, expireTime: new Date(expireTime) })),
    find: async (invitationIds) => {
      if (invitationIds.length === 0) return new Map();
      const timeoutMs = Math.floor(Math.min(emailsMs, remainingMs() / 2));
      try {
        const { invitees } = await auth.client.batchGetInvitees({ invitationIds: [...invitationIds] }, { timeoutMs });
        return new Map(invitees.map((invitee) => [invitee.invitationId, invitee]));
      } catch (error) {
        options.logger.warn({ err: error }, 'auth did not tell whom invitations invite');
        return undefined;
      }
    },
    close: auth.close,
  };
}
