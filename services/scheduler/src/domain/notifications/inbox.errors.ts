import { AppError } from '#libs/errors';

export function resumeTokenInvalid(): AppError {
  return new AppError('invalid_argument', 'RESUME_TOKEN_INVALID', 'invalid: resume_token', {
    details: {
      metadata: { fields: 'resume_token' },
      violations: [
        { field: 'resume_token', description: 'is damaged, or was given to another caller; begin again without it' },
      ],
    },
  });
}

export function inboxRestored(): AppError {
  return new AppError(
    'out_of_range',
    'LOG_RESTORED',
    'inboxes were restored, moved or failed over since the token was given; begin with ListNotifications, and watch without a token',
  );
}
