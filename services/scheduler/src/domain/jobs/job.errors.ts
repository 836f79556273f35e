import { AppError } from '#libs/errors';

/** What was asked for is free text, and no error repeats such. */
export function queueNotFound(): AppError {
  return new AppError('not_found', 'QUEUE_NOT_FOUND', 'no such queue; ListQueues names them', {
    details: { resource: { type: 'queue', name: '' } },
  });
}

export function queueChanged(queue: string): AppError {
  return new AppError('aborted', 'ETAG_MISMATCH', 'the queue has changed since the etag was read', {
    details: { resource: { type: 'queue', name: queue }, metadata: { id: queue } },
  });
}

export function jobNotFound(jobId: string): AppError {
  return new AppError('not_found', 'JOB_NOT_FOUND', 'nothing is recorded about such a job', {
    details: { resource: { type: 'job', name: jobId }, metadata: { jobId } },
  });
}

export function deadJobNotFound(deadJobId: string): AppError {
  return new AppError('not_found', 'DEAD_JOB_NOT_FOUND', 'no such dead job', {
    details: { resource: { type: 'dead_job', name: deadJobId }, metadata: { deadJobId } },
  });
}

function failedPrecondition(
  reason: AppError['reason'],
  message: string,
  { type, metadata, cause }: { type: string; metadata: Record<string, string>; cause?: unknown },
): AppError {
  const preconditions = [{ type, subject: Object.values(metadata)[0] ?? '', description: message }];
  return new AppError('failed_precondition', reason, message, { details: { preconditions, metadata }, cause });
}

export function deadJobResolved(deadJobId: string): AppError {
  const message = 'the dead job has been retried or discarded already';
  return failedPrecondition('DEAD_JOB_RESOLVED', message, { type: 'DEAD_JOB_OPEN', metadata: { deadJobId } });
}

export function jobNotRunnable(deadJobId: string): AppError {
  const message = 'this release has no such job, or its payload breaks the schema';
  return failedPrecondition('JOB_NOT_RUNNABLE', message, { type: 'JOB_KNOWN', metadata: { deadJobId } });
}

export function deadLetterEventNotFound(eventId: bigint): AppError {
  return new AppError('not_found', 'DEAD_LETTER_EVENT_NOT_FOUND', 'no such dead-letter event', {
    details: {
      resource: { type: 'dead_letter_event', name: String(eventId) },
      metadata: { eventId: String(eventId) },
    },
  });
}

export function eventNotHandled(eventId: bigint, cause: unknown): AppError {
  const message = 'the dead-letter event could not be handled this time either';
  const metadata = { eventId: String(eventId) };
  return failedPrecondition('EVENT_NOT_HANDLED', message, { type: 'EVENT_HANDLED', metadata, cause });
}
