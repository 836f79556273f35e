import type { UserActor } from '#libs/runtime';
import { CancelProjectInvitationRequest, CancelProjectInvitationResponse } from '#contract/tasks/v1/projects';
import type { Repositories, TasksDeps } from '../../deps.ts';
import { toInvitationMessage } from '../../domain/invitation.columns.ts';
import type { Invitation } from '../../domain/invitation.entity.ts';
import { invitationNotFound } from '../../domain/invitation.errors.ts';
import { changeBy, lockProject } from './change.ts';

const cancel = changeBy('CancelProjectInvitation', CancelProjectInvitationRequest, CancelProjectInvitationResponse);

/** Also of an archived project. Auth is not told: whoever accepts the invitation is judged here. */
export async function cancelInvitation(
  deps: Pick<TasksDeps, 'uow' | 'clock'>,
  actor: UserActor,
  request: CancelProjectInvitationRequest,
): Promise<CancelProjectInvitationResponse> {
  const now = deps.clock.now();
  return cancel(deps, actor, request, async ({ projects, invitations }) => {
    await lockProject(projects, actor, request.projectId, 'manage');
    const invitation = await requireInvitation(invitations, request);
    invitation.cancel(now);
    await invitations.save(invitation);
    return { invitation: toInvitationMessage(invitation, { now }) };
  });
}

/** An invitation of the project, to be read behind the lock on it. */
export async function requireInvitation(
  invitations: Repositories['invitations'],
  { projectId, invitationId }: { projectId: string; invitationId: string },
): Promise<Invitation> {
  const invitation = await invitations.find(invitationId);
  if (invitation?.projectId !== projectId) throw invitationNotFound(invitationId);
  return invitation;
}
