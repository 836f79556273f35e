import { RevokeInvitationRequest, RevokeInvitationResponse } from '#contract/auth/v1/auth';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { invitationNotFound } from '../domain/auth.errors.ts';
import { toInvitationMessage } from '../domain/invitation.columns.ts';
import { endingOf, onceFor, type Change } from './repeatable.ts';

type Deps = Pick<AuthDeps, 'uow' | 'clock' | 'logger' | 'requestFingerprints'>;

const method = { name: 'RevokeInvitation', request: RevokeInvitationRequest, response: RevokeInvitationResponse };

/** Ends an invitation. A registration with it either came before, or is refused. */
export async function revokeInvitation(
  deps: Deps,
  actor: UserActor,
  input: Change<RevokeInvitationRequest>,
): Promise<RevokeInvitationResponse> {
  const { clock, logger } = deps;
  const { invitationId, validateOnly } = input;
  const response = await endingOf(deps, input)(
    async ({ invitations }) => {
      const invitation = await invitations.lock(invitationId);
      if (invitation === undefined) throw invitationNotFound(invitationId);
      invitation.revoke(clock.now());
      return { invitation: toInvitationMessage(invitation) };
    },
    onceFor(deps, actor, method, input),
  );
  if (!validateOnly) logger.info({ audit: 'invitation_revoked', invitationId, by: actor.userId }, 'invitation revoked');
  return response;
}
