import { AppError } from '#libs/errors';
import { currentContext } from '#libs/runtime';
import { DatabaseFault, faultKind, violatedConstraint } from './sql-state.ts';

/** Which error a violated constraint means, by the constraint's name. */
export type ConstraintErrors = Readonly<Record<string, () => AppError>>;

const retryAfterMs = 1000;

/**
 * The AppError of a database fault; every other error as it is. Public messages are fixed texts, and the cause holds no
 * statement and no value.
 */
export function toDatabaseError(error: unknown, constraints: ConstraintErrors = {}): unknown {
  const refusal = (error as Partial<RefusedStatement> | undefined)?.refusal;
  if (refusal !== undefined) return refusal;
  const kind = faultKind(error);
  if (kind === undefined) return error;
  const cause = new DatabaseFault(error as Error);
  switch (kind) {
    case 'constraint':
      return constraints[violatedConstraint(error) ?? '']?.() ?? new AppError('internal', 'INTERNAL', 'internal error', { cause });
    case 'connection':
      return new AppError('unavailable', 'DATABASE_UNAVAILABLE', 'the database is out of reach', { details: { retryAfterMs }, cause });
    case 'pool_exhausted':
      return new AppError('resource_exhausted', 'OVERLOADED', 'the server is busy', { details: { retryAfterMs }, cause });
    case 'conflict':
    case 'lock_timeout':
      return new AppError('aborted', 'WRITE_CONFLICT', 'a concurrent change won', { details: { retryAfterMs: 100 }, cause });
    case 'timeout':
      return endOfCall(cause);
    case 'bad_text':
      return unstorableText(cause);
    case 'defect':
      return new AppError('internal', 'INTERNAL', 'internal error', { cause });
  }
}

/** Thrown inside the ORM, which wraps whatever is thrown there and copies its properties. */
export class RefusedStatement extends Error {
  readonly refusal: unknown;

  constructor(refusal: unknown) {
    super('statement refused');
    this.refusal = refusal;
  }
}

export function unstorableText(cause?: unknown): AppError {
  return new AppError('invalid_argument', 'INVALID_FIELD', 'a text holds a character that cannot be stored, such as NUL', { cause });
}

/** The call is over: because its time is up, or because its caller gave up before. */
export function endOfCall(cause?: unknown): AppError {
  const call = currentContext();
  const gaveUp = call?.signal.aborted === true && Date.now() < call.deadline;
  return gaveUp
    ? new AppError('cancelled', 'CANCELLED', 'the caller gave up', { cause })
    : new AppError('deadline_exceeded', 'DEADLINE_EXCEEDED', 'the time allowed ran out', { cause });
}

/** Throws when the running call is over, so that no statement begins for it and no transaction commits. */
export function assertCallGoesOn(): void {
  const call = currentContext();
  if (call !== undefined && (call.signal.aborted || Date.now() >= call.deadline)) throw endOfCall();
}
