import { AppError } from '#libs/errors';

/** Unknown e-mail, wrong password and disabled account: one answer, made in one place, so that they cannot differ. */
export const credentialsInvalid = (): AppError =>
  new AppError('unauthenticated', 'CREDENTIALS_INVALID', 'the e-mail or the password is wrong');

export const emailTaken = (): AppError =>
  new AppError('already_exists', 'EMAIL_TAKEN', 'an account with this e-mail exists');

export const registrationClosed = (): AppError =>
  new AppError('permission_denied', 'REGISTRATION_CLOSED', 'registration needs an invitation, or is closed');

/** Unknown, accepted, revoked, expired or of another e-mail: one answer, so that nothing is learned from it. */
export const invitationInvalid = (): AppError =>
  new AppError('failed_precondition', 'INVITATION_INVALID', 'the invitation does not admit this e-mail', {
    details: {
      preconditions: [
        { type: 'INVITATION_INVALID', subject: 'invitation_token', description: 'ask for another invitation' },
      ],
    },
  });

const askForAnother = (reason: string, description: string) => ({
  details: { preconditions: [{ type: reason, subject: 'token', description }] },
});

/** Unknown, used, replaced, expired or of a disabled account: one answer, so that nothing is learned from it. */
export const resetInvalid = (): AppError =>
  new AppError(
    'failed_precondition',
    'RESET_INVALID',
    'the token sets no password (any more)',
    askForAnother('RESET_INVALID', 'ask for another reset'),
  );

export const verificationInvalid = (): AppError =>
  new AppError(
    'failed_precondition',
    'VERIFICATION_INVALID',
    'the token verifies no e-mail (any more)',
    askForAnother('VERIFICATION_INVALID', 'ask for another verification'),
  );

export const emailUnverified = (): AppError =>
  new AppError('permission_denied', 'EMAIL_UNVERIFIED', 'verify the e-mail before signing in');

export const mailOff = (): AppError =>
  new AppError('failed_precondition', 'MAIL_OFF', 'this installation sends no mail', {
    details: {
      preconditions: [
        { type: 'MAIL_OFF', subject: 'TASKFLOW_MAIL', description: 'ask an administrator to reset the password' },
      ],
    },
  });

export const tooManyMails = (retryAfterMs: number): AppError =>
  new AppError('resource_exhausted', 'TOO_MANY_MAILS', 'as many mails as are allowed in an hour were sent', {
    details: { retryAfterMs },
  });

export const accountDisabled = (userId: string): AppError =>
  new AppError('failed_precondition', 'ACCOUNT_DISABLED', 'the account is disabled', {
    details: {
      metadata: { userId },
      preconditions: [
        { type: 'ACCOUNT_DISABLED', subject: `accounts/${userId}`, description: 'enable the account first' },
      ],
    },
  });

export const mailNotFound = (mailId: string): AppError =>
  new AppError('not_found', 'MAIL_NOT_FOUND', 'no such mail, or it is not to be sent any more', {
    details: { resource: { type: 'mail', name: mailId }, metadata: { mailId } },
  });

export const refreshTokenInvalid = (): AppError =>
  new AppError('unauthenticated', 'REFRESH_TOKEN_INVALID', 'the refresh token is not valid; sign in again');

export const tokenReused = (): AppError =>
  new AppError(
    'unauthenticated',
    'TOKEN_REUSED',
    'a replaced refresh token was used again; the session has been ended',
  );

export const passwordQueueFull = (retryAfterMs: number): AppError =>
  new AppError('resource_exhausted', 'OVERLOADED', 'too many sign-ins at this moment', { details: { retryAfterMs } });

/** Does not reveal whether the account exists. */
export const tooManyAttempts = (retryAfterMs: number): AppError =>
  new AppError(
    'resource_exhausted',
    'TOO_MANY_ATTEMPTS',
    'too many passwords that were wrong or are being checked; wait before the next',
    {
      details: { retryAfterMs },
    },
  );

/** Whether the error says that the password was wrong. */
export const isWrongPassword = (error: unknown): boolean =>
  error instanceof AppError && (error.reason === 'CREDENTIALS_INVALID' || error.reason === 'PASSWORD_WRONG');

export const passwordWrong = (): AppError =>
  new AppError('permission_denied', 'PASSWORD_WRONG', 'the current password is wrong');

/** The session or account of the call has just ended. Same answer as for any invalid token. */
export const callerEnded = (): AppError => new AppError('unauthenticated', 'TOKEN_INVALID', 'the token is not valid');

const account = (id: string) => ({ type: 'taskflow.auth.v1.Account', name: id });
const session = (id: string) => ({ type: 'taskflow.auth.v1.Session', name: id });

export const userNotFound = (userId: string): AppError =>
  new AppError('not_found', 'USER_NOT_FOUND', 'there is no such user', {
    details: { resource: account(userId), metadata: { userId } },
  });

export const serviceAccountRequired = (userId: string): AppError =>
  new AppError('failed_precondition', 'SERVICE_ACCOUNT_REQUIRED', 'only the person can create tokens of this account', {
    details: {
      metadata: { userId },
      preconditions: [
        { type: 'SERVICE_ACCOUNT_REQUIRED', subject: `accounts/${userId}`, description: 'use a service account' },
      ],
    },
  });

export const personRequired = (userId: string): AppError =>
  new AppError('failed_precondition', 'PERSON_REQUIRED', 'a service account has no e-mail and no password', {
    details: {
      metadata: { userId },
      preconditions: [
        { type: 'PERSON_REQUIRED', subject: `accounts/${userId}`, description: 'create a personal token for it' },
      ],
    },
  });

export const foreignTokens = (): AppError =>
  new AppError('permission_denied', 'ADMIN_REQUIRED', 'only administrators may see or create tokens of other accounts');

export const sessionNotFound = (sessionId: string): AppError =>
  new AppError('not_found', 'SESSION_NOT_FOUND', 'there is no such session', {
    details: { resource: session(sessionId), metadata: { sessionId } },
  });

const invitation = (id: string) => ({ type: 'taskflow.auth.v1.Invitation', name: id });

export const invitationNotFound = (invitationId: string): AppError =>
  new AppError('not_found', 'INVITATION_NOT_FOUND', 'there is no such invitation', {
    details: { resource: invitation(invitationId), metadata: { invitationId } },
  });

export const invitationAccepted = (invitationId: string): AppError =>
  new AppError('failed_precondition', 'INVITATION_ACCEPTED', 'somebody has registered with the invitation', {
    details: {
      metadata: { invitationId },
      preconditions: [
        {
          type: 'INVITATION_ACCEPTED',
          subject: `invitations/${invitationId}`,
          description: 'disable the account instead',
        },
      ],
    },
  });

const personalToken = (id: string) => ({ type: 'taskflow.auth.v1.PersonalToken', name: id });

export const personalTokenNotFound = (personalTokenId: string): AppError =>
  new AppError('not_found', 'PERSONAL_TOKEN_NOT_FOUND', 'there is no such personal token', {
    details: { resource: personalToken(personalTokenId), metadata: { personalTokenId } },
  });

export const tooManyPersonalTokens = (most: number): AppError =>
  new AppError('failed_precondition', 'TOO_MANY_PERSONAL_TOKENS', `an account has at most ${most} personal tokens`, {
    details: {
      metadata: { maxPersonalTokenCount: String(most) },
      preconditions: [
        { type: 'TOO_MANY_PERSONAL_TOKENS', subject: 'personalTokens', description: 'revoke one that is not needed' },
      ],
    },
  });

export const adminScopeRefused = (): AppError =>
  new AppError('permission_denied', 'ADMIN_REQUIRED', 'only tokens of administrators can have the scope admin');

export const accountChanged = (id: string): AppError =>
  new AppError('aborted', 'ETAG_MISMATCH', 'the account has changed since it was read', {
    details: { resource: account(id), metadata: { id } },
  });

export const sessionChanged = (id: string): AppError =>
  new AppError('aborted', 'ETAG_MISMATCH', 'the session has been used since it was read', {
    details: { resource: session(id), metadata: { id } },
  });

export const lastAdministrator = (id: string): AppError =>
  new AppError('failed_precondition', 'LAST_ADMIN', 'no enabled administrator would be left', {
    details: {
      metadata: { userId: id },
      preconditions: [
        { type: 'LAST_ADMIN', subject: `accounts/${id}`, description: 'make another account an administrator first' },
      ],
    },
  });

/** This replica's view of revocations is too old to pass on. */
export const revocationsOutOfReach = (): AppError =>
  new AppError('unavailable', 'DATABASE_UNAVAILABLE', 'revocations cannot be read now', {
    details: { retryAfterMs: 500 },
  });
