import { status, type ServiceError } from '@grpc/grpc-js';
import { AppError, kindOfCode, type ErrorKind, type ErrorReason } from '#libs/errors';
import { codeOf, readToldStatus, type ToldStatus } from '../wire/status.ts';

/** Reasons that blame the calling service, not the user it works for: to the user they are a defect of ours. */
const ourFaults: ReadonlySet<ErrorReason> = new Set([
  'MALFORMED_REQUEST',
  'CREDENTIALS_MISSING',
  'TOKEN_INVALID',
  'ADMIN_REQUIRED',
  'SERVICE_IDENTITY_REQUIRED',
  'CALLER_NOT_ALLOWED',
  'UNIMPLEMENTED',
  'INTERNAL',
]);

function internal(cause: ServiceError): AppError {
  return new AppError('internal', 'INTERNAL', 'internal error', { cause });
}

function fromToldStatus({ reason, details }: ToldStatus, cause: ServiceError): AppError {
  if (ourFaults.has(reason)) return internal(cause);
  return new AppError(kindOfCode(cause.code), reason, cause.details, { details, cause });
}

const unavailable = (callee: string, cause: ServiceError): AppError =>
  new AppError('unavailable', 'DEPENDENCY_UNAVAILABLE', `${callee} did not answer`, { details: { retryAfterMs: 1000 }, cause });

const transportFaults: Partial<Record<ErrorKind, (callee: string, cause: ServiceError) => AppError>> = {
  unavailable,
  deadline_exceeded: (callee, cause) => new AppError('deadline_exceeded', 'DEADLINE_EXCEEDED', `${callee} did not answer in time`, { cause }),
  resource_exhausted: (callee, cause) => new AppError('resource_exhausted', 'OVERLOADED', `${callee} is busy`, { details: { retryAfterMs: 1000 }, cause }),
};

/**
 * A failed call as an AppError: what the callee told, as far as it concerns our own caller; otherwise by the status code.
 * Only for calls that we did not cancel ourselves.
 */
export function toCalleeError(error: ServiceError, callee: string): AppError {
  // We did not give up, so the callee did, for instance because it was stopped.
  if (error.code === status.CANCELLED) return unavailable(callee, error);
  const told = readToldStatus(error);
  if (told !== undefined) return fromToldStatus(told, error);
  return transportFaults[kindOfCode(codeOf(error))]?.(callee, error) ?? internal(error);
}

/** What a failed call says about the health of the callee. */
export type Verdict = 'fault' | 'answered' | 'nothing';

/**
 * UNAVAILABLE, INTERNAL, UNKNOWN and overload are faults of the callee, and so is silence when it had all the time that the
 * contract grants. A cancellation, or silence within a shortened deadline, says nothing. Every other status is an answer.
 */
export function judge(error: ServiceError, hadFullBudget: boolean): Verdict {
  switch (error.code) {
    case status.UNAVAILABLE:
    case status.INTERNAL:
    case status.UNKNOWN:
      return 'fault';
    case status.DEADLINE_EXCEEDED:
      return hadFullBudget ? 'fault' : 'nothing';
    case status.RESOURCE_EXHAUSTED:
      return readToldStatus(error)?.reason === 'RATE_LIMITED' ? 'answered' : 'fault';
    case status.CANCELLED:
      return 'nothing';
    default:
      return 'answered';
  }
}
