import { AppError } from '#libs/errors';

const user = (userId: string) => ({ type: 'taskflow.users.v1.User', name: userId });

export const userNotFound = (userId: string): AppError =>
  new AppError('not_found', 'USER_NOT_FOUND', 'no such user', {
    details: { resource: user(userId), metadata: { userId } },
  });

/**
 * Nobody has the e-mail, or not for the caller: one answer, made in one place, so that they cannot differ. It does not
 * repeat the e-mail.
 */
export const nobodyFound = (): AppError => new AppError('not_found', 'USER_NOT_FOUND', 'no such user');

/** The account exists, since its token is valid; its profile arrives within moments. */
export const profileNotReady = (): AppError =>
  new AppError('unavailable', 'PROFILE_NOT_READY', 'the profile of this account has not arrived yet', {
    details: { retryAfterMs: 500 },
  });

export const etagMismatch = (userId: string): AppError =>
  new AppError('aborted', 'ETAG_MISMATCH', 'the profile has changed since it was read', {
    details: { resource: user(userId), metadata: { id: userId } },
  });
