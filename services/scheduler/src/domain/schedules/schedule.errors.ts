import { AppError, invalidFields } from '#libs/errors';

export const maxSchedules = 100;
/** Fire times in the range of one backfill. */
export const maxBackfill = 1_000;

function about(scheduleId: string) {
  const name = receivedName(scheduleId);
  return { details: { resource: { type: 'schedule', name }, ...(name !== '' && { metadata: { scheduleId: name } }) } };
}

export function scheduleNotFound(scheduleId: string): AppError {
  return new AppError('not_found', 'SCHEDULE_NOT_FOUND', 'no such schedule', about(scheduleId));
}

export function scheduleExists(scheduleId: string): AppError {
  return new AppError('already_exists', 'SCHEDULE_EXISTS', 'a schedule with this id exists', about(scheduleId));
}

export function scheduleChanged(scheduleId: string): AppError {
  return new AppError('aborted', 'ETAG_MISMATCH', 'the schedule has changed since the etag was read', {
    details: { ...about(scheduleId).details, metadata: { id: scheduleId } },
  });
}

export function scheduleBuiltIn(scheduleId: string): AppError {
  return new AppError(
    'failed_precondition',
    'SCHEDULE_BUILT_IN',
    'the schedule is built in: it can be paused, not deleted',
    about(scheduleId),
  );
}

export function tooManySchedules(): AppError {
  return new AppError('failed_precondition', 'TOO_MANY_SCHEDULES', `there may be ${maxSchedules} schedules`, {
    details: { metadata: { maxScheduleCount: String(maxSchedules) } },
  });
}

export function backfillInFuture(now: Date): AppError {
  return invalidFields([{ field: 'end_time', description: `must not be after now, which is ${now.toISOString()}` }]);
}

/** `limit` is the first fire time that is one too many. */
export function backfillTooLong(limit: Date): AppError {
  const description = `must be at most ${limit.toISOString()}: the range may have ${maxBackfill} fire times, and has more; go on from there with another request`;
  return invalidFields([{ field: 'end_time', description }]);
}

/** Repeats an id that is well-formed; anything else may be confidential. */
function receivedName(scheduleId: string): string {
  return /^[a-z][a-z0-9-]{0,62}$/.test(scheduleId) ? scheduleId : '';
}
