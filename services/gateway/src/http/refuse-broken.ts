import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { codeToHttpStatus, errorToJson } from '@connectrpc/connect/protocol-connect';
import { AppError } from '#libs/errors';
import { toFailure } from '#libs/grpc';
import { newRequestId } from '#libs/runtime';
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

/** Answers what Node could not read as a request, in the form of all other errors, and ends the connection. */
export function refuseBroken(code: string, socket: Duplex): void {
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const { error: make, httpStatus } = faults[code] ?? { error: malformed, httpStatus: undefined };
  const requestId = newRequestId();
  const { status } = toFailure(make(), requestId);
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
