import { AppError } from '#libs/errors';

export function resumeTokenInvalid(field: 'resume_token' | 'sync_token'): AppError {
  return new AppError('invalid_argument', 'RESUME_TOKEN_INVALID', `invalid: ${field}`, {
    details: {
      metadata: { fields: field },
      violations: [{ field, description: 'is damaged, or was given to another caller; begin again without it' }],
    },
  });
}

export function resumeTokenCompacted(): AppError {
  return new AppError(
    'out_of_range',
    'RESUME_TOKEN_COMPACTED',
    'the position is older than what is kept; begin with SyncTasks without a token',
  );
}

export function feedRestored(): AppError {
  return new AppError(
    'out_of_range',
    'LOG_RESTORED',
    'tasks were restored, moved or failed over since the token was given; begin with SyncTasks without a token',
  );
}

export function logRestored(): AppError {
  return new AppError(
    'out_of_range',
    'LOG_RESTORED',
    'the log does not have the position, it was put back to an older state; go on without a position',
  );
}

export function eventsCompacted(): AppError {
  return new AppError(
    'out_of_range',
    'EVENTS_COMPACTED',
    'events behind the position are no longer kept, some were missed; go on without a position',
  );
}
