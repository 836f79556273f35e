import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { status as Code } from '@grpc/grpc-js';
import { errorTable } from '#libs/errors';
import { continueTrace, traceIdOf } from '#libs/runtime';
import { acceptRequestId, requestIdKey } from '../wire/request-id.ts';
import { boundTimeout, timeoutKey } from '../wire/call-timeout.ts';
import { prepareTrailers } from '../wire/status.ts';
import { traceParentKey } from '../wire/trace-parent.ts';
import type { UnreadCall } from './refusal-log.ts';
import { encodings, findHeaderFault, speaksGrpc, type HeaderFault, type RequestHeaders } from './request-headers.ts';
import { isWhole, type IncomingStreamsOptions } from './incoming-streams.ts';

/** Replaces unknown paths in metrics and logs, which clients could otherwise fill with names. */
const unknownMethod = 'unknown';

interface FaultyRefusalOptions {
  /** Whether the server has a method with this path. */
  isKnown: (path: string) => boolean;
  record: (call: UnreadCall) => void;
}

/** Unknown paths of this form are logged, because they show a client that is newer than the server. */
const methodPath = /^\/[\w.]{1,100}\/\w{1,100}$/;

/** How long a client may take to read a text answer. */
const bodyMs = 1000;

/** The value of a header; undefined when there is none or more than one. */
export function textHeader(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? undefined : header;
}

/** The ids of a call by its headers. */
export function idsOf(headers: IncomingHttpHeaders): Pick<UnreadCall, 'requestId' | 'traceId'> {
  return {
    requestId: acceptRequestId(textHeader(headers[requestIdKey])),
    traceId: traceIdOf(continueTrace(textHeader(headers[traceParentKey]))),
  };
}

/** Answers a stream without reading it. The rest of the request is discarded (RFC 9113, 8.1). */
export function answerUnread(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders, body?: string): void {
  // A reset is expensive, so it is only sent when the request is incomplete.
  const whole = isWhole(stream);
  stream.respond(headers, { endStream: body === undefined });
  if (body !== undefined) {
    stream.setTimeout(bodyMs, () => stream.close(constants.NGHTTP2_CANCEL));
    stream.end(body);
  }
  if (whole) stream.resume();
  else stream.close();
}

function answer(
  stream: ServerHttp2Stream,
  request: RequestHeaders,
  { error, httpStatus }: HeaderFault,
  requestId: string,
): void {
  const trailers = prepareTrailers(error)(requestId);
  if (speaksGrpc(request)) {
    const accepted = error.reason === 'UNIMPLEMENTED' && { 'grpc-accept-encoding': encodings.join(',') };
    return answerUnread(stream, { ':status': 200, 'content-type': 'application/grpc+proto', ...accepted, ...trailers });
  }
  const allowed = httpStatus === 405 && { allow: 'POST' };
  const body = request.headers[':method'] === 'HEAD' ? undefined : `${error.message}\n`;
  return answerUnread(
    stream,
    { ':status': httpStatus, 'content-type': 'text/plain; charset=utf-8', ...allowed, ...trailers },
    body,
  );
}

/** Rewrites headers that the protocol allows but grpc-js does not understand. */
function suit(headers: IncomingHttpHeaders): void {
  headers['content-type'] = 'application/grpc';
  const timeout = headers[timeoutKey];
  if (timeout !== undefined) headers[timeoutKey] = boundTimeout(String(timeout));
}

/** Refuses calls with faulty headers or unknown methods, with details, a log line and a count. */
export function refuseFaulty({ isKnown, record }: FaultyRefusalOptions): IncomingStreamsOptions['refuse'] {
  return (stream, request, peer) => {
    const { headers } = request;
    const fault = findHeaderFault(request, isKnown);
    if (fault === undefined) {
      suit(headers);
      return false;
    }
    const { error } = fault;
    const ids = idsOf(headers);
    answer(stream, request, fault, ids.requestId);
    const path = headers[':path'] ?? '';
    const method = isKnown(path) ? path : unknownMethod;
    const code = Code[errorTable[error.kind].code] ?? '';
    const asked = method === unknownMethod && methodPath.test(path) && { path };
    record({ method, ...asked, code, reason: error.reason, ...ids, peer, message: error.message });
    return true;
  };
}
