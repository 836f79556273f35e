import { AppError } from '#libs/errors';

export function scheduleNotFound(scheduleId: string): AppError {
  return new AppError('not_found', 'SCHEDULE_NOT_FOUND', 'no such schedule', { details: { resource: { type: 'schedule', name: toldName(scheduleId) } } });
}

/** A mistyped id is told; whatever else was put there may be nobody's business. */
function toldName(scheduleId: string): string {
  return /^[a-z]+(-[a-z]+)*$/.test(scheduleId) ? scheduleId : '';
}
