import { AppError, type ErrorReason } from '#libs/errors';
import type { JoinOutcome } from './project-invitee.columns.ts';

function refused(reason: ErrorReason, message: string, description: string, metadata = {}): AppError {
  const preconditions = [{ type: reason, subject: 'token', description }];
  return new AppError('failed_precondition', reason, message, { details: { metadata, preconditions } });
}

export const projectInvitationInvalid = (): AppError =>
  refused('PROJECT_INVITATION_INVALID', 'the token is of no invitation to a project', 'ask for another invitation');

export const invitationExpired = (): AppError =>
  refused('PROJECT_INVITATION_EXPIRED', 'the invitation has expired', 'ask for it to be sent again');

export const invitationUsed = (): AppError =>
  refused(
    'PROJECT_INVITATION_USED',
    'another account has accepted the invitation',
    'sign in with that account, or ask for another invitation',
  );

/** Does not repeat the e-mail: the caller has the mail, and anybody else must not learn it. */
export const invitationForAnother = (): AppError =>
  new AppError(
    'permission_denied',
    'PROJECT_INVITATION_FOR_ANOTHER',
    "the invitation was sent to another e-mail than the account's",
  );

const invitationCancelled = (): AppError =>
  refused('PROJECT_INVITATION_CANCELLED', 'the invitation was cancelled', 'ask for another invitation');

const causes: Record<Exclude<JoinOutcome, 'joined' | 'cancelled' | 'used'>, string> = {
  inviter_gone: 'whoever invited manages the project no more',
  project_deleted: 'the project is deleted',
  project_archived: 'the project is archived',
  project_full: 'the project has as many members as are allowed',
  too_many_projects: 'the account is a member of as many projects as are allowed',
  account_deleted: 'the account was deleted before it could join',
};

/** Why somebody who has accepted an invitation has not joined. */
export function notJoined(outcome: Exclude<JoinOutcome, 'joined'>): AppError {
  if (outcome === 'cancelled') return invitationCancelled();
  if (outcome === 'used') return invitationUsed();
  return refused('PROJECT_INVITATION_ENDED', 'the project could not be joined', causes[outcome], {
    cause: outcome.toUpperCase(),
  });
}
