import { Metadata, status as Code, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { errorTable, reasons, type AppError, type ErrorDetails, type ErrorReason } from '#libs/errors';
import type { Any } from '#google/protobuf/any';
import { Status } from '#google/rpc/status';
import { requestIdKey } from './request-id.ts';
import { clientErrors } from './grpc-js-internals.ts';
import { packDetails, packRequestInfo, unpackDetails } from './error-details.ts';

/** The trailer with the serialized google.rpc.Status. */
export const statusDetailsKey = 'grpc-status-details-bin';

/** "NOT_FOUND" of 5. */
export const toStatusCode = (code: number): string => Code[code] ?? '';

/** An error as a message, for answers that have a status for each of their parts. */
export function toStatusMessage(error: AppError, requestId: string): Status {
  // grpc-js passes the message to encodeURI, which throws on half a surrogate pair.
  return {
    code: errorTable[error.kind].code,
    message: error.message.toWellFormed(),
    details: packDetails(error, requestId),
  };
}

/** The status that the client receives: code, message and details, never the cause. */
export function toStatus(error: AppError, requestId: string): StatusObject {
  const status = toStatusMessage(error, requestId);
  const metadata = new Metadata();
  metadata.set(statusDetailsKey, Buffer.from(Status.encode(status).finish()));
  metadata.set(requestIdKey, requestId);
  return { code: status.code, details: status.message, metadata };
}

const requestInfo = (details: Any): boolean => details.typeUrl.endsWith('.RequestInfo');

/** The trailers of a frequent error. Everything but the request id is encoded once. */
export function prepareTrailers(error: AppError): (requestId: string) => Record<string, string | number> {
  const { code, message, details } = toStatusMessage(error, '');
  const beginning = Buffer.from(
    Status.encode({ code, message, details: details.filter((one) => !requestInfo(one)) }).finish(),
  );
  return (requestId) => {
    // Concatenated messages of a type are merged when they are decoded.
    const rest = Status.encode({ code: 0, message: '', details: [packRequestInfo(requestId)] }).finish();
    return {
      'grpc-status': code,
      'grpc-message': encodeURI(message),
      [statusDetailsKey]: Buffer.concat([beginning, rest]).toString('base64'),
      [requestIdKey]: requestId,
    };
  };
}

const starts = (details: string, beginnings: readonly string[]): boolean =>
  beginnings.some((beginning) => details.startsWith(beginning));

/**
 * The code of an error, with UNAVAILABLE for every lost connection. grpc-js reports INTERNAL when a stream ended in
 * good order without a status (grpc-node issue 1532), and when the connection ended before the call was sent.
 */
export function codeOf({ code, details }: Pick<ServiceError, 'code' | 'details'>): Code {
  return code === Code.INTERNAL && starts(details, [clientErrors.resetWithoutError, clientErrors.notStarted])
    ? Code.UNAVAILABLE
    : code;
}

export interface ReceivedStatus {
  reason: ErrorReason;
  details: ErrorDetails;
}

/** The google.rpc.Status of an error; undefined when there is none or it is damaged. */
export function readStatusMessage(error: ServiceError): Status | undefined {
  const [bytes] = error.metadata?.get(statusDetailsKey) ?? [];
  if (!(bytes instanceof Buffer)) return undefined;
  try {
    return Status.decode(bytes);
  } catch {
    // Damaged details are ignored; the code counts.
    return undefined;
  }
}

/** The reason and details of a TaskFlow service; undefined when the status has another origin. */
export function readReceivedStatus(error: ServiceError): ReceivedStatus | undefined {
  const message = readStatusMessage(error);
  if (message === undefined) return undefined;
  try {
    const { reason, details } = unpackDetails(message.details);
    return reason !== undefined && reason in reasons ? { reason: reason as ErrorReason, details } : undefined;
  } catch {
    return undefined;
  }
}
