import { RevokeInvitationRequest, RevokeInvitationResponse } from '#contract/auth/v1/auth';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { invitationNotFound } from '../domain/auth.errors.ts';
import { toInvitationMessage } from '../domain/invitation.columns.ts';
import { endingOf, onceFor, type Change } from './repeatable.ts';

type Deps = Pick<AuthDeps, 'uow' | 'clock' | 'requestFingerprints'>;

const method = { name: 'RevokeInvitation', request: RevokeInvitationRequest, response: RevokeInvitationResponse };

/** Ends an invitation. A registration with it either came before, or is refused. */
export async function revokeInvitation(
  deps: Deps,
  actor: UserActor,
  input: Change<RevokeInvitationRequest>,
): Promise<RevokeInvitationResponse> {
  const { invitationId } = input;
  return endingOf(deps, input)(
    async ({ audit, invitations }) => {
      const invitation = await invitations.lock(invitationId);
      if (invitation === undefined) throw invitationNotFound(invitationId);
      if (invitation.revoke(deps.clock.now()))
        await audit.add({ action: 'invitation_revoked', target: { kind: 'invitation', id: invitationId } });
      return { invitation: toInvitationMessage(invitation) };
    },
    onceFor(deps, actor, method, input),
  );
}
