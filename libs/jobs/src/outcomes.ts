import { AppError, type ErrorKind } from '#libs/errors';

/** Thrown by a handler: trying again cannot help. The job goes to the dead letters at once. */
export class PermanentJobError extends Error {
  override readonly name = 'PermanentJobError';
}

/** Thrown by a handler: not now. The job runs again after `delayMs` without using up an attempt. */
export class RetryLater extends Error {
  override readonly name = 'RetryLater';
  readonly delayMs: number;

  constructor(delayMs: number, reason = 'retry later', options?: ErrorOptions) {
    super(reason, options);
    this.delayMs = delayMs;
  }
}

/** Kinds of errors that the same request will meet every time. */
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

/** Whether another attempt is pointless. Errors of unknown origin are worth another attempt. */
export function isPermanent(error: unknown): boolean {
  if (error instanceof PermanentJobError) return true;
  return error instanceof AppError && permanentKinds.has(error.kind);
}
