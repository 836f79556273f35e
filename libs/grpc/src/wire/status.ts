import { Metadata, status as Code, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { errorTable, reasons, type AppError, type ErrorDetails, type ErrorReason } from '#libs/errors';
import type { Any } from '#google/protobuf/any';
import { Status } from '#google/rpc/status';
import { callIdKey } from './call-id.ts';
import { packDetails, packRequestInfo, unpackDetails } from './error-details.ts';

/** The trailer with the serialized google.rpc.Status. */
export const statusDetailsKey = 'grpc-status-details-bin';

/** An error as a message, for an answer that tells what became of each of its parts. */
export function toStatusMessage(error: AppError, callId: string): Status {
  // grpc-js passes the message to encodeURI, which throws on half a surrogate pair.
  return { code: errorTable[error.kind].code, message: error.message.toWellFormed(), details: packDetails(error, callId) };
}

/** What the client gets to see of an error: code, message and details; never its cause. */
export function toStatus(error: AppError, callId: string): StatusObject {
  const status = toStatusMessage(error, callId);
  const metadata = new Metadata();
  metadata.set(statusDetailsKey, Buffer.from(Status.encode(status).finish()));
  metadata.set(callIdKey, callId);
  return { code: status.code, details: status.message, metadata };
}

const requestInfo = (details: Any): boolean => details.typeUrl.endsWith('.RequestInfo');

/** The trailers of an error that many calls end with: only what differs from one call to the next is made for each. */
export function prepareTrailers(error: AppError): (callId: string) => Record<string, string | number> {
  const { code, message, details } = toStatusMessage(error, '');
  const beginning = Buffer.from(Status.encode({ code, message, details: details.filter((one) => !requestInfo(one)) }).finish());
  return (callId) => {
    // A message goes on where another of its type ends.
    const rest = Status.encode({ code: 0, message: '', details: [packRequestInfo(callId)] }).finish();
    return { 'grpc-status': code, 'grpc-message': encodeURI(message), [statusDetailsKey]: Buffer.concat([beginning, rest]).toString('base64'), [callIdKey]: callId };
  };
}

const starts = (details: string, beginnings: readonly string[]): boolean => beginnings.some((beginning) => details.startsWith(beginning));

/**
 * A lost connection is UNAVAILABLE, however it was lost. grpc-js calls it INTERNAL when a stream was ended in good order but
 * without a status (grpc-node issue 1532), and when the connection ended while the call was on its way to it.
 */
export function codeOf({ code, details }: Pick<ServiceError, 'code' | 'details'>): Code {
  return code === Code.INTERNAL && starts(details, ['Received RST_STREAM with code 0', 'Failed to start HTTP/2 stream']) ? Code.UNAVAILABLE : code;
}

/** Whether the call was still in this process when its connection was told to end; no server can prevent that. */
export function isUnsent({ details }: Pick<ServiceError, 'details'>): boolean {
  return starts(details, ['Write error: Stream closed with error code NGHTTP2_REFUSED_STREAM', 'Failed to start HTTP/2 stream']);
}

export interface ToldStatus {
  reason: ErrorReason;
  details: ErrorDetails;
}

/** What a TaskFlow service told with its status; undefined when the status came from the transport or from somebody else. */
export function readToldStatus(error: ServiceError): ToldStatus | undefined {
  const [bytes] = error.metadata?.get(statusDetailsKey) ?? [];
  if (!(bytes instanceof Buffer)) return undefined;
  try {
    const { reason, details } = unpackDetails(Status.decode(bytes).details);
    return reason !== undefined && reason in reasons ? { reason: reason as ErrorReason, details } : undefined;
  } catch {
    // Damaged details say nothing; the code alone counts then.
    return undefined;
  }
}
