import { AppError } from '#libs/errors';
import { currentContext, steadyNow } from '#libs/runtime';
import { DatabaseFault, faultKind, violatedConstraint, type FaultKind } from './sql-state.ts';

/** The error that a violated constraint means, by the constraint's name. */
export type ConstraintErrors = Readonly<Record<string, () => AppError>>;

/** Public messages are fixed texts; the cause holds no statement and no value. */
const errorsByKind: Readonly<Record<FaultKind, (cause: DatabaseFault) => AppError>> = {
  connection: (cause) =>
    new AppError('unavailable', 'DATABASE_UNAVAILABLE', 'the database is out of reach', {
      details: { retryAfterMs: 1000 },
      cause,
    }),
  pool_exhausted: (cause) =>
    new AppError('resource_exhausted', 'OVERLOADED', 'the server is busy', { details: { retryAfterMs: 1000 }, cause }),
  conflict: writeConflict,
  lock_timeout: writeConflict,
  timeout: endOfCall,
  bad_text: unstorableText,
  constraint: internalError,
  defect: internalError,
};

/** Converts a database fault to an AppError and returns every other error as it is. */
export function toDatabaseError(error: unknown, constraints: ConstraintErrors = {}): unknown {
  const refusal = (error as Partial<RefusedStatement> | undefined)?.refusal;
  if (refusal !== undefined) return refusal;
  const kind = faultKind(error);
  if (kind === undefined) return error;
  const meant = kind === 'constraint' ? constraints[violatedConstraint(error) ?? '']?.() : undefined;
  return meant ?? errorsByKind[kind](new DatabaseFault(error as Error));
}

function writeConflict(cause: DatabaseFault): AppError {
  return new AppError('aborted', 'WRITE_CONFLICT', 'a concurrent change won', {
    details: { retryAfterMs: 100 },
    cause,
  });
}

function internalError(cause: DatabaseFault): AppError {
  return new AppError('internal', 'INTERNAL', 'internal error', { cause });
}

/** Thrown inside the ORM, which wraps every error and copies its properties. */
export class RefusedStatement extends Error {
  readonly refusal: unknown;

  constructor(refusal: unknown) {
    super('statement refused');
    this.refusal = refusal;
  }
}

export function unstorableText(cause?: unknown): AppError {
  return new AppError(
    'invalid_argument',
    'INVALID_FIELD',
    'a text holds a character that cannot be stored, such as NUL',
    { cause },
  );
}

/** The error of a call that is over, because its time is up or its caller gave up. */
export function endOfCall(cause?: unknown): AppError {
  const call = currentContext();
  // A timer may end a call a moment before its deadline.
  const isTimer = (call?.signal.reason as Error | undefined)?.name === 'TimeoutError';
  const gaveUp = call?.signal.aborted === true && !isTimer && steadyNow() < call.deadline;
  return gaveUp
    ? new AppError('cancelled', 'CANCELLED', 'the caller gave up', { cause })
    : new AppError('deadline_exceeded', 'DEADLINE_EXCEEDED', 'the time allowed ran out', { cause });
}

/** Throws when the running call is over, so that it begins no statement and commits nothing. */
export function assertCallGoesOn(): void {
  const call = currentContext();
  if (call !== undefined && (call.signal.aborted || steadyNow() >= call.deadline)) throw endOfCall();
}
