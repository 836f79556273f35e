import { AppError } from '#libs/errors';
import type { ProjectInvitationState } from '#contract/tasks/v1/projects';

const resourceOf = (invitationId: string) => ({ type: 'taskflow.tasks.v1.ProjectInvitation', name: invitationId });

export function invitationNotFound(invitationId: string): AppError {
  return new AppError('not_found', 'PROJECT_INVITATION_NOT_FOUND', 'the project has no such invitation', {
    details: { metadata: { invitationId }, resource: resourceOf(invitationId) },
  });
}

export function invitationClosed(invitationId: string, state: ProjectInvitationState): AppError {
  const description = 'the invitation was accepted, cancelled or has ended; invite the person again';
  return new AppError('failed_precondition', 'PROJECT_INVITATION_CLOSED', description, {
    details: {
      metadata: { invitationId, state: state.replace('PROJECT_INVITATION_STATE_', '') },
      preconditions: [{ type: 'INVITATION_STATE', subject: `invitations/${invitationId}`, description }],
    },
  });
}

export function mailOff(): AppError {
  const description = 'this installation sends no mail';
  return new AppError('failed_precondition', 'MAIL_OFF', description, {
    details: { preconditions: [{ type: 'MAIL_OFF', subject: 'TASKFLOW_MAIL', description }] },
  });
}
