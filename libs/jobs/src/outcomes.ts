import { AppError, type ErrorKind } from '#libs/errors';

/** Thrown by a handler: a retry cannot help. The job becomes a dead letter at once. */
export class PermanentJobError extends Error {
  override readonly name = 'PermanentJobError';
}

/** Thrown by a handler: the job runs again after `delayMs` without using up an attempt. */
export class RetryLater extends Error {
  override readonly name = 'RetryLater';
  readonly delayMs: number;

  constructor(delayMs: number, reason = 'retry later', options?: ErrorOptions) {
    super(reason, options);
    this.delayMs = delayMs;
  }
}

/** A retry of the same request meets these errors again. */
const permanentKinds: ReadonlySet<ErrorKind> = new Set([
  'invalid_argument',
  'unauthenticated',
  'permission_denied',
  'not_found',
  'already_exists',
  'failed_precondition',
  'out_of_range',
  'unimplemented',
]);

/** Whether a retry cannot help. Errors of unknown origin are retried. */
export function isPermanent(error: unknown): boolean {
  if (error instanceof PermanentJobError) return true;
  return error instanceof AppError && permanentKinds.has(error.kind);
}
