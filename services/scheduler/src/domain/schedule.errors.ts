import { AppError } from '#libs/errors';

export function scheduleNotFound(scheduleId: string): AppError {
  return new AppError('not_found', 'SCHEDULE_NOT_FOUND', 'no such schedule', { details: { resource: { type: 'schedule', name: scheduleId } } });
}
