import { AppError, type ErrorDetails } from '#libs/errors';

export function queueNotFound(): AppError {
  return new AppError('not_found', 'QUEUE_NOT_FOUND', 'no such queue; ListQueues names them', { details: { resource: { type: 'queue', name: '' } } });
}

export function jobNotFound(jobId: string): AppError {
  return new AppError('not_found', 'JOB_NOT_FOUND', 'nothing is recorded about such a job', { details: { resource: { type: 'job', name: jobId } } });
}

export function deadJobNotFound(deadJobId: string): AppError {
  return new AppError('not_found', 'DEAD_JOB_NOT_FOUND', 'no such dead job', { details: { resource: { type: 'dead_job', name: deadJobId } } });
}

function precondition(type: string, subject: string, description: string): { details: ErrorDetails } {
  return { details: { preconditions: [{ type, subject, description }] } };
}

export function deadJobSettled(deadJobId: string): AppError {
  const message = 'the dead job has been retried or discarded already';
  return new AppError('failed_precondition', 'DEAD_JOB_SETTLED', message, precondition('DEAD_JOB_OPEN', deadJobId, message));
}

export function jobNotRunnable(deadJobId: string): AppError {
  const message = 'this release has no such job, or its payload breaks the schema';
  return new AppError('failed_precondition', 'JOB_NOT_RUNNABLE', message, precondition('JOB_KNOWN', deadJobId, message));
}

export function parkedEventNotFound(eventId: bigint): AppError {
  return new AppError('not_found', 'PARKED_EVENT_NOT_FOUND', 'no such parked event', { details: { resource: { type: 'parked_event', name: String(eventId) } } });
}

export function eventNotHandled(eventId: bigint, cause: unknown): AppError {
  const message = 'the parked event could not be handled this time either';
  return new AppError('failed_precondition', 'EVENT_NOT_HANDLED', message, { ...precondition('EVENT_HANDLED', String(eventId), message), cause });
}
