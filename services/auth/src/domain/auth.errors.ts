import { AppError } from '#libs/errors';

/** Unknown e-mail, wrong password and disabled account: one answer, made in one place, so that they cannot differ. */
export const credentialsInvalid = (): AppError =>
  new AppError('unauthenticated', 'CREDENTIALS_INVALID', 'the e-mail or the password is wrong');

export const emailTaken = (): AppError => new AppError('already_exists', 'EMAIL_TAKEN', 'an account with this e-mail exists');

export const refreshTokenInvalid = (): AppError =>
  new AppError('unauthenticated', 'REFRESH_TOKEN_INVALID', 'the refresh token is not valid; sign in again');

export const tokenReused = (): AppError =>
  new AppError('unauthenticated', 'TOKEN_REUSED', 'a replaced refresh token was used again; the session has been ended');

export const passwordQueueFull = (retryAfterMs: number): AppError =>
  new AppError('resource_exhausted', 'OVERLOADED', 'too many sign-ins at this moment', { details: { retryAfterMs } });
