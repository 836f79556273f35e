import { AppError } from '#libs/errors';

export function resumeTokenInvalid(): AppError {
  return new AppError('invalid_argument', 'RESUME_TOKEN_INVALID', 'invalid: resume_token', {
    details: { violations: [{ field: 'resume_token', description: 'is damaged, or was given to another caller; begin again without it' }] },
  });
}
