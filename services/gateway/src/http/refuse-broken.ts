import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { codeToHttpStatus, errorToJson } from '@connectrpc/connect/protocol-connect';
import { AppError, errorTable } from '#libs/errors';
import { idsOf, toFailure, toStatusCode, type UnreadCall } from '#libs/grpc';
import { toConnectError } from '../protocol/error-json.ts';

const malformed = (): AppError =>
  new AppError('invalid_argument', 'MALFORMED_REQUEST', 'the request is no valid HTTP/1.1');
const late = (): AppError =>
  new AppError('deadline_exceeded', 'DEADLINE_EXCEEDED', 'the request did not arrive in time');
const headersTooLarge = (): AppError =>
  new AppError('resource_exhausted', 'HEADERS_TOO_LARGE', 'the headers of the request are too large');

const proxied = (): AppError =>
  new AppError('invalid_argument', 'MALFORMED_REQUEST', 'this is no proxy: methods are called by POST or GET', {
    details: { metadata: { header: ':method' } },
  });

const faults: Readonly<Record<string, { error: () => AppError; httpStatus: number }>> = {
  HPE_HEADER_OVERFLOW: { error: headersTooLarge, httpStatus: 431 },
  CONNECT: { error: proxied, httpStatus: 405 },
  ERR_HTTP_REQUEST_TIMEOUT: { error: late, httpStatus: 408 },
};

export interface BrokenOptions {
  resolvePeer: (peer: string, forwardedFor: string | undefined) => string;
  /** Logs and counts a call that is refused before its request is read. */
  record: (call: UnreadCall) => void;
}

/**
 * Answers what Node could not read as a request, in the form of all other errors, logs it as those are, and ends the
 * connection.
 */
export type RefuseBroken = (code: string, socket: Socket) => void;

export const createRefuseBroken =
  ({ resolvePeer, record }: BrokenOptions): RefuseBroken =>
  (code, socket) => {
    if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const { error: make, httpStatus } = faults[code] ?? { error: malformed, httpStatus: undefined };
    const error = make();
    const ids = idsOf({});
    record({
      method: 'unknown',
      code: toStatusCode(errorTable[error.kind].code),
      reason: error.reason,
      ...ids,
      peer: resolvePeer(`${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`, undefined),
      message: error.message,
    });
    answer(socket, { error, httpStatus, requestId: ids.requestId });
  };

interface BrokenAnswer {
  error: AppError;
  httpStatus: number | undefined;
  requestId: string;
}

function answer(socket: Socket, { error, httpStatus, requestId }: BrokenAnswer): void {
  const { status } = toFailure(error, requestId);
  const body = JSON.stringify(errorToJson(toConnectError(status), undefined));
  const number = httpStatus ?? codeToHttpStatus(status.code);
  const head = [
    `HTTP/1.1 ${number} ${STATUS_CODES[number] ?? ''}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'cache-control: no-store',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
