import { z } from 'zod';
import type { InternalAuthServiceService } from '#contract/auth/v1/auth';
import { fieldTypes, parseRequest } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import type { Handlers } from '#libs/grpc';
import { steadyNow } from '#libs/runtime';
import { looksLikeEmail, normaliseEmail } from '#libs/text';
import type { AuthDeps } from '../deps.ts';
import { batchGetInvitees } from '../use-cases/batch-get-invitees.ts';
import { checkPersonalToken } from '../use-cases/check-personal-token.ts';
import { getMail } from '../use-cases/get-mail.ts';
import { mailProjectInvitation } from '../use-cases/mail-project-invitation.ts';
import { watchRevocations } from '../use-cases/watch-revocations.ts';

export function internalAuthHandlers(
  deps: Pick<AuthDeps, 'uow' | 'revocationWatch' | 'reader' | 'oneTimeTokens' | 'clock' | 'tokenUses' | 'settings'>,
): Handlers<InternalAuthServiceService> {
  return {
    // Ends before the deadline, which would end it as a failure. The follower reconnects at once.
    watchRevocations: (_request, call) => {
      const enough = AbortSignal.timeout(Math.max(0, Math.floor((call.deadline - steadyNow()) * 0.95)));
      return watchRevocations(deps, AbortSignal.any([call.signal, enough]));
    },
    getMail: async (request) => getMail(deps, parseRequest(mailSchema, request)),
    mailProjectInvitation: async (request) => mailProjectInvitation(deps, parseRequest(invitationSchema, request)),
    batchGetInvitees: async (request) => batchGetInvitees(deps, parseRequest(inviteesSchema, request)),
    checkPersonalToken: async (request) => checkPersonalToken(deps, parseRequest(checkSchema, request).tokenHash),
  };
}

const mailSchema = z.object({ mailId: fieldTypes.uuid() });
const invitation = fieldsOf('taskflow.auth.v1.MailProjectInvitationRequest');
const invitationSchema = z.object({
  invitationId: fieldTypes.uuid(),
  mailId: fieldTypes.uuid(),
  projectId: fieldTypes.uuid(),
  inviterId: fieldTypes.uuid(),
  email: invitation
    .optionalText('email')
    .transform(normaliseEmail)
    .refine((email) => email === '' || looksLikeEmail(email), 'must be an e-mail address, or empty'),
  expireTime: z.date('must be set'),
});
const inviteesSchema = z.object({
  invitationIds: fieldsOf('taskflow.auth.v1.BatchGetInviteesRequest').uuids('invitation_ids'),
});
const check = fieldsOf('taskflow.auth.v1.CheckPersonalTokenRequest');
const checkSchema = z.object({ tokenHash: check.bytes('token_hash') });
