import type { DescMethod } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { readDetails, type ErrorDetails, type FindDetails } from './error-details.ts';
import type { Status } from './gen/google/rpc/status_pb.js';

/** The names of gRPC's status codes, by their numbers. */
const codes = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

export type ErrorCode = Exclude<(typeof codes)[number], 'OK'>;

/** Every call that does not succeed rejects with one of these. */
export class TaskFlowError extends Error {
  override readonly name = 'TaskFlowError';
  /** The gRPC code, such as 'NOT_FOUND'. */
  readonly code: ErrorCode;
  /** Why, such as 'TASK_NOT_FOUND'. undefined when no service answered. A later release may have others. */
  readonly reason: ErrorDetails['reason'];
  /** What belongs to the reason; the contract says what at each. */
  readonly metadata: ErrorDetails['metadata'];
  /** Every field of the request that is wrong. */
  readonly violations: ErrorDetails['violations'];
  readonly preconditions: ErrorDetails['preconditions'];
  /** Which limits are used up. */
  readonly quotas: ErrorDetails['quotas'];
  readonly resource: ErrorDetails['resource'];
  /** When it makes sense to try again. */
  readonly retryAfterMs: number | undefined;
  /** Names the call in the logs of the services. */
  readonly callId: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    { cause, ...details }: Partial<ErrorDetails> & { cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.code = code;
    this.reason = details.reason;
    this.metadata = details.metadata ?? {};
    this.violations = details.violations ?? [];
    this.preconditions = details.preconditions ?? [];
    this.quotas = details.quotas ?? [];
    this.resource = details.resource;
    this.retryAfterMs = details.retryAfterMs;
    this.callId = details.callId;
  }

  /** The error of one member of a batch. */
  static fromStatus(status: Status): TaskFlowError {
    const find: FindDetails = (schema) => status.details.flatMap((one) => anyUnpack(one, schema) ?? []);
    return new TaskFlowError(nameOf(status.code), status.message, readDetails(find));
  }
}

function nameOf(code: number): ErrorCode {
  const name = codes[code];
  return name === undefined || name === 'OK' ? 'UNKNOWN' : name;
}

/** Beginnings of what Connect says when a connection ended before the answer was complete. */
const broken = /^(http\/2|protocol error: missing|missing (trailer|status|EndStreamResponse)|premature)/i;

/** fetch rejects with a TypeError; errors of Node's sockets have a code. */
function isOfNetwork(cause: unknown): boolean {
  if (typeof cause !== 'object' || cause === null) return false;
  const { name, code } = cause as { name?: unknown; code?: unknown };
  return name === 'TypeError' || typeof code === 'string';
}

/**
 * Whether an error comes from the connection and not from a service. Connect has INTERNAL, ABORTED or CANCELLED for
 * connections that break, by what broke.
 */
function isConnectionLost({ code, details, metadata, rawMessage, cause }: ConnectError): boolean {
  const isAnswered = details.length > 0 || metadata.has('x-request-id') || metadata.has('grpc-status');
  if (isAnswered || code === Code.DeadlineExceeded) return false;
  return code === Code.Unavailable || broken.test(rawMessage) || isOfNetwork(cause);
}

/** The code that counts: UNAVAILABLE for every lost connection, unless the caller gave up. */
export function codeOf(error: ConnectError, signal: AbortSignal | undefined): Code {
  return signal?.aborted !== true && isConnectionLost(error) ? Code.Unavailable : error.code;
}

/** The reason and the delay that a service told. */
export function detailsOf(error: ConnectError): ErrorDetails {
  return readDetails((schema) => error.findDetails(schema));
}

export interface FailedCall {
  method: DescMethod;
  signal: AbortSignal | undefined;
  callId: string;
}

/** Whatever a call threw, as the error that the caller gets. */
export function toTaskFlowError(error: unknown, { method, signal, callId }: FailedCall): TaskFlowError {
  if (error instanceof TaskFlowError) return error;
  const connectError = ConnectError.from(error);
  const details = detailsOf(connectError);
  return new TaskFlowError(
    nameOf(codeOf(connectError, signal)),
    `${method.parent.typeName}/${method.name}: ${connectError.rawMessage}`,
    { ...details, callId: details.callId ?? connectError.metadata.get('x-request-id') ?? callId, cause: error },
  );
}
