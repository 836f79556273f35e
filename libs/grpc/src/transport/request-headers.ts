import type { IncomingHttpHeaders } from 'node:http2';
import { AppError } from '#libs/errors';
import { parseTimeout, timeoutKey } from '../wire/call-timeout.ts';
import { serviceTokenKey } from '../wire/metadata.ts';

/** The headers of a new stream. */
export interface RequestHeaders {
  headers: IncomingHttpHeaders;
  /** Names and values in turn, as received. */
  rawHeaders: readonly string[];
}

/** Why a call is refused because of its headers. */
export interface HeaderFault {
  error: AppError;
  /** The HTTP status for clients that do not speak gRPC. gRPC clients get 200 and the status of the error. */
  httpStatus: number;
}

/**
 * The limit of a call, four times the default of most gRPC clients, so that tokens, traces and baggage fit. Each header
 * counts 32 bytes more than its name and value (RFC 9113, 6.5.2).
 */
const headerLimits = { bytes: 32 * 1024, count: 128 };
const overheadBytes = 32;

/** application/grpc, with +proto or parameters. Other formats would be decoded as protobuf. */
const grpcContent = /^application\/grpc(\+proto)?\s*(;|$)/i;

/** The compressions of requests, besides none. */
export const encodings = ['identity', 'deflate', 'gzip'] as const;

/** gRPC allows blanks at the end of metadata, but in a token they are a mistake. */
const credentialKeys: ReadonlySet<string> = new Set(['authorization', serviceTokenKey]);

/** What may be there once: Node keeps the first of some, and a proxy may have judged the call by the other one. */
const singularKeys: ReadonlySet<string> = new Set([...credentialKeys, timeoutKey, 'grpc-encoding', 'content-type']);

const printable = /^[ -~]*$/;
const legalKey = /^[0-9a-z_.-]+$/;
const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

export function speaksGrpc({ headers }: RequestHeaders): boolean {
  return headers[':method'] === 'POST' && grpcContent.test(headers['content-type'] ?? '');
}

function malformed(header: string, message: string): AppError {
  return new AppError('invalid_argument', 'MALFORMED_REQUEST', message, {
    details: { metadata: { header: header.slice(0, 64) } },
  });
}

function isTooLarge(rawHeaders: readonly string[]): boolean {
  const count = rawHeaders.length / 2;
  if (count > headerLimits.count) return true;
  let bytes = count * overheadBytes;
  for (const text of rawHeaders) bytes += text.length;
  return bytes > headerLimits.bytes;
}

/** More or larger headers than a call may have. */
export function findSizeFault({ rawHeaders }: Pick<RequestHeaders, 'rawHeaders'>): HeaderFault | undefined {
  if (!isTooLarge(rawHeaders)) return undefined;
  const error = new AppError(
    'resource_exhausted',
    'HEADERS_TOO_LARGE',
    `a call may have ${headerLimits.bytes} bytes of headers and ${headerLimits.count} of them`,
    { details: { metadata: { maxBytes: String(headerLimits.bytes), maxCount: String(headerLimits.count) } } },
  );
  return { error, httpStatus: 431 };
}

function findHttpFault({ headers }: RequestHeaders): HeaderFault | undefined {
  if (headers[':method'] !== 'POST')
    return { error: malformed(':method', 'gRPC calls are sent by POST'), httpStatus: 405 };
  if (grpcContent.test(headers['content-type'] ?? '')) return undefined;
  return {
    error: malformed(
      'content-type',
      'this port speaks gRPC: content-type must be application/grpc or application/grpc+proto',
    ),
    httpStatus: 415,
  };
}

function isBinary(value: string): boolean {
  // Several values of one key are joined with commas. Padding may be missing, half a byte may not.
  return value
    .split(',')
    .map((part) => part.trim())
    .every((part) => base64.test(part) && part.replaceAll('=', '').length % 4 !== 1);
}

function findValueFault(key: string, value: string): AppError | undefined {
  if (!printable.test(value))
    return malformed(key, 'the value of a header is not printable ASCII; other values go into keys that end with -bin');
  if (credentialKeys.has(key) && value !== value.trim())
    return malformed(key, `the value of "${key}" begins or ends with a blank`);
  if (key.endsWith('-bin') && !isBinary(value))
    return malformed(key, 'the value of a header that ends with -bin is not base64');
  return undefined;
}

function findMetadataFault(rawHeaders: readonly string[]): AppError | undefined {
  const seen: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [key = '', value = ''] = [rawHeaders[index], rawHeaders[index + 1]];
    if (key.startsWith(':')) continue;
    if (!legalKey.test(key)) return malformed(key, 'the name of a header has characters that metadata cannot have');
    if (seen.includes(key)) return malformed(key, `"${key}" is there twice`);
    if (singularKeys.has(key)) seen.push(key);
    const fault = findValueFault(key, value);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function findCallFault({ headers, rawHeaders }: RequestHeaders): AppError | undefined {
  const timeout = headers[timeoutKey];
  if (timeout !== undefined && parseTimeout(String(timeout)) === undefined) {
    return malformed(timeoutKey, 'grpc-timeout must be one to eight digits and a unit: H, M, S, m, u or n');
  }
  const encoding = headers['grpc-encoding'];
  if (encoding !== undefined && !encodings.some((known) => known === encoding)) {
    return new AppError('unimplemented', 'UNIMPLEMENTED', `requests may be compressed by ${encodings.join(', ')}`, {
      details: { metadata: { encodings: encodings.join(', ') } },
    });
  }
  return findMetadataFault(rawHeaders);
}

/**
 * Finds what is wrong with the headers of a call. grpc-js would misread some faults (`-1S` as one second), drop others
 * with a line on standard error, and answer the rest with errors of its own.
 */
export function findHeaderFault(request: RequestHeaders, isKnown: (path: string) => boolean): HeaderFault | undefined {
  const unusable = findSizeFault(request) ?? findHttpFault(request);
  if (unusable !== undefined) return unusable;
  const unknown = isKnown(request.headers[':path'] ?? '')
    ? undefined
    : new AppError('unimplemented', 'UNIMPLEMENTED', 'the server has no such service or method');
  const error = unknown ?? findCallFault(request);
  return error && { error, httpStatus: 200 };
}
