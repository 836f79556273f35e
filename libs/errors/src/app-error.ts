import type { ErrorKind } from './error-table.ts';
import type { ErrorReason } from './reasons.ts';

export interface FieldViolation {
  /** The field's path in the request, as in the .proto file: "task.due_time", "task_ids[3]". */
  field: string;
  /** What is wrong and what is allowed, without the value that was sent. */
  description: string;
}

/** What a client can act on. Each part becomes the google.rpc detail of the same name. */
export interface ErrorDetails {
  /** BadRequest: every violation of the request, not only the first. */
  violations?: FieldViolation[];
  /** There are violations beyond these, which nobody has counted. */
  hasMoreViolations?: boolean;
  /** RetryInfo, in milliseconds. */
  retryAfterMs?: number;
  /** PreconditionFailure */
  preconditions?: { type: string; subject: string; description: string }[];
  /** ResourceInfo */
  resource?: { type: string; name: string };
  /** QuotaFailure */
  quota?: { subject: string; description: string }[];
  /** ErrorInfo.metadata */
  metadata?: Record<string, string>;
}

export interface AppErrorOptions {
  details?: ErrorDetails;
  /** The real reason; logged once, never sent. */
  cause?: unknown;
}

/** The one error type of the services. `message` and `details` are for the client; `cause` stays inside. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly kind: ErrorKind;
  readonly reason: ErrorReason;
  readonly details: ErrorDetails;

  constructor(kind: ErrorKind, reason: ErrorReason, message: string, options: AppErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.reason = reason;
    this.details = options.details ?? {};
  }
}

/** Both travel in headers, and clients end the whole connection when those are too large. */
const maxNamed = 10;

/**
 * INVALID_ARGUMENT that names every violation. `violations` must not be empty; `hasMore` says that there are others that
 * nobody has counted.
 */
export function invalidFields(violations: FieldViolation[], { hasMore = false } = {}): AppError {
  const fields = [...new Set(violations.map(({ field }) => field))];
  const named = fields
    .slice(0, maxNamed)
    .map((field) => field.slice(0, 200))
    .join(', ');
  const counted = fields.length > maxNamed ? ` and ${fields.length - maxNamed} others` : '';
  const others = hasMore ? ' and others' : counted;
  return new AppError('invalid_argument', 'INVALID_FIELD', `invalid: ${named}${others}`, {
    details: { violations, ...(hasMore && { hasMoreViolations: true }), metadata: { fields: named } },
  });
}

/** FAILED_PRECONDITION: the answer of a request that was carried out is not known any more. */
export function answerRemoved(): AppError {
  return new AppError(
    'failed_precondition',
    'ANSWER_REMOVED',
    'the request was carried out before; its answer named a person who is gone, so it is not known any more',
  );
}

/** INVALID_ARGUMENT: a request id may be used again only for the same request. */
export function requestIdReused(): AppError {
  return new AppError('invalid_argument', 'REQUEST_ID_REUSED', 'the request id was used before with another request', {
    details: {
      violations: [
        {
          field: 'request_id',
          description: 'was used before with another request; choose a fresh one for each request',
        },
      ],
    },
  });
}

/** Returns an AppError as it is. Anything else becomes INTERNAL, with the original as its cause. */
export function toAppError(error: unknown): AppError {
  return error instanceof AppError ? error : new AppError('internal', 'INTERNAL', 'internal error', { cause: error });
}
