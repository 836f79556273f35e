import { status, type ServiceError } from '@grpc/grpc-js';
import { AppError, kindOfCode, type ErrorKind, type ErrorReason } from '#libs/errors';
import { codeOf, readReceivedStatus, type ReceivedStatus } from '../wire/status.ts';

/** Reasons that blame the request of the calling service. Its user sees an internal error. */
const ourFaults: ReadonlySet<ErrorReason> = new Set(['MALFORMED_REQUEST', 'ADMIN_REQUIRED', 'INTERNAL']);

/** The callee does not accept the service token: a key is missing somewhere, or a clock is wrong. */
const identityFaults: ReadonlySet<ErrorReason> = new Set([
  'CREDENTIALS_MISSING',
  'TOKEN_INVALID',
  'SERVICE_IDENTITY_REQUIRED',
]);

/** The callee does not accept the caller's name, or its certificate. */
const callerFaults: ReadonlySet<ErrorReason> = new Set([
  'CALLER_NOT_ALLOWED',
  'CERTIFICATE_REQUIRED',
  'CERTIFICATE_NOT_ALLOWED',
  'CERTIFICATE_MISMATCH',
]);

/**
 * Reasons that blame the deployment: wrong keys or certificates, or releases that do not fit together. The callee counts
 * as unavailable, since the same call may succeed later or from another replica.
 */
const setUpFaults: ReadonlySet<ErrorReason> = new Set([...identityFaults, ...callerFaults, 'UNIMPLEMENTED']);

/** Whether the callee accepted the identity of this service; undefined when the error does not say. */
export function identityOutcome(error: ServiceError | null): 'accepted' | 'refused' | undefined {
  if (error === null) return 'accepted';
  const reason = readReceivedStatus(error)?.reason;
  if (reason === undefined) return undefined;
  return identityFaults.has(reason) || callerFaults.has(reason) ? 'refused' : 'accepted';
}

function internal(cause: ServiceError): AppError {
  return new AppError('internal', 'INTERNAL', 'internal error', { cause });
}

const unavailable = (callee: string, cause: ServiceError): AppError =>
  new AppError('unavailable', 'DEPENDENCY_UNAVAILABLE', `${callee} did not answer`, {
    details: { retryAfterMs: 1000, metadata: { service: callee } },
    cause,
  });

function fromReceivedStatus({ reason, details }: ReceivedStatus, callee: string, cause: ServiceError): AppError {
  if (setUpFaults.has(reason)) return unavailable(callee, cause);
  if (ourFaults.has(reason)) return internal(cause);
  return new AppError(kindOfCode(cause.code), reason, cause.details, { details, cause });
}

const transportFaults: Partial<Record<ErrorKind, (callee: string, cause: ServiceError) => AppError>> = {
  unavailable,
  // An older release of the callee, or a proxy, does not know the method.
  unimplemented: unavailable,
  deadline_exceeded: (callee, cause) =>
    new AppError('deadline_exceeded', 'DEADLINE_EXCEEDED', `${callee} did not answer in time`, {
      details: { metadata: { service: callee } },
      cause,
    }),
  resource_exhausted: (callee, cause) =>
    new AppError('resource_exhausted', 'OVERLOADED', `${callee} is busy`, {
      details: { retryAfterMs: 1000, metadata: { service: callee } },
      cause,
    }),
};

/**
 * The AppError of a failed call: the callee's own error where it concerns the caller of this service, otherwise one by
 * the status code. Not for calls that this service cancelled.
 */
export function toCalleeError(error: ServiceError, callee: string): AppError {
  // This service did not cancel, so the callee did, for instance because it was stopped.
  if (error.code === status.CANCELLED) return unavailable(callee, error);
  const received = readReceivedStatus(error);
  if (received !== undefined) return fromReceivedStatus(received, callee, error);
  return transportFaults[kindOfCode(codeOf(error))]?.(callee, error) ?? internal(error);
}

/** What a failed call says about the health of the callee. */
export type FailureClass = 'fault' | 'answered' | 'inconclusive';

/**
 * UNAVAILABLE, INTERNAL, UNKNOWN and overload are faults of the callee, and so is silence for all the time that the
 * contract grants. A cancellation, or silence within a shortened deadline, is inconclusive. Every other status is an
 * answer.
 */
export function classifyFailure(error: ServiceError, hadFullBudget: boolean): FailureClass {
  switch (error.code) {
    case status.UNAVAILABLE:
    case status.INTERNAL:
    case status.UNKNOWN:
      return 'fault';
    case status.DEADLINE_EXCEEDED:
      return hadFullBudget ? 'fault' : 'inconclusive';
    case status.RESOURCE_EXHAUSTED:
      return readReceivedStatus(error)?.reason === 'RATE_LIMITED' ? 'answered' : 'fault';
    case status.CANCELLED:
      return 'inconclusive';
    default:
      return 'answered';
  }
}
