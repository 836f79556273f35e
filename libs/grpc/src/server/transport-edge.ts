import type { ServerHttp2Stream } from 'node:http2';
import {
  Metadata,
  ResponderBuilder,
  ServerInterceptingCall,
  ServerListenerBuilder,
  status as Code,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { AppError, errorTable, kindOfCode } from '#libs/errors';
import { traceIdOf } from '#libs/runtime';
import { acceptCallId, callIdKey } from '../wire/call-id.ts';
import { textOf } from '../wire/metadata.ts';
import { statusDetailsKey, toStatus } from '../wire/status.ts';
import { continueTrace, traceParentKey } from '../wire/trace-parent.ts';
import type { Admission, Expulsion } from './admission.ts';
import { endCallSpan, startCallSpan } from './call-span.ts';
import { createDecompressor, unpackBy } from './decompress.ts';
import type { OpenCalls } from './open-calls.ts';
import { overloaded } from './overloaded.ts';
import type { UnreadCall } from './refusal-log.ts';
import { isWhole } from './stream-gate.ts';

interface EdgeOptions {
  /** Paths that go through the chain; others (health, reflection) are neither logged nor counted. */
  isChained: (path: string) => boolean;
  openCalls: OpenCalls;
  admission: Admission;
  /** Of a request. */
  maxMessageBytes: number;
  /** Notes that a call has ended. */
  record: (call: UnreadCall) => void;
}

/** An error for a status that grpc-js decided on by itself. */
function toLibraryError(code: number, message: string): AppError {
  switch (code) {
    // Beyond the size limit, maybe only after decompression.
    case Code.RESOURCE_EXHAUSTED:
      return new AppError('resource_exhausted', 'REQUEST_TOO_LARGE', 'the request is too large');
    case Code.DEADLINE_EXCEEDED:
      return new AppError('deadline_exceeded', 'DEADLINE_EXCEEDED', 'the time allowed ran out');
    case Code.UNIMPLEMENTED:
      // A compression that grpc-js does not know; the code tells clients to send without. Otherwise: no message, or two.
      return message.includes('encoding')
        ? new AppError('unimplemented', 'UNIMPLEMENTED', 'the compression of the request is not supported')
        : new AppError('invalid_argument', 'MALFORMED_REQUEST', 'the request is not exactly one complete message');
    default:
      return new AppError(kindOfCode(code), 'INTERNAL', message);
  }
}

/**
 * What the chain cannot see. Calls are let in here, and requests refused that do not arrive in time, or for which there is no
 * room any more when they have. grpc-js ends some calls before a handler runs (request too large, damaged compression,
 * no message, cancelled while it was still being sent); such a call gets its details, log line and count here. And streams
 * that do not pass the chain (health, reflection) are ended here at shutdown.
 */
export function transportEdge(options: EdgeOptions): ServerInterceptor {
  const record = createRecorder(options);
  const decompress = createDecompressor(options.maxMessageBytes);
  return ({ path, responseStream }, call) => {
    unpackBy(decompress, call);
    if (options.isChained(path)) return watchCall(call, { path, stream: responseStream, admission: options.admission, record });
    return responseStream ? endAtShutdown(call, options.openCalls) : new ServerInterceptingCall(call);
  };
}

type FinalStatus = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

interface Watched {
  path: string;
  stream: boolean;
  admission: Admission;
  record: (path: string, call: Unreached) => void;
}

const neverArrived = (): AppError => new AppError('deadline_exceeded', 'DEADLINE_EXCEEDED', 'the request did not arrive in time');
const expulsion: Record<Expulsion, () => AppError> = { late: neverArrived, crowded: overloaded };

/** grpc-js tells of the end of a request only when it is read. */
function isWholeCall(call: ServerInterceptingCallInterface): boolean {
  return isWhole((call as unknown as { stream: ServerHttp2Stream }).stream);
}

function watchCall(call: ServerInterceptingCallInterface, { path, stream, admission, record }: Watched): ServerInterceptingCall {
  const seen = { metadata: new Metadata(), hasMessage: false, reached: false, answered: false, cancelled: false };
  const refuse = (error: AppError): void => finish({ code: errorTable[error.kind].code, details: error.message }, error);
  const ticket = admission.enter({ stream, peer: call.getPeer(), whole: isWholeCall(call), expel: (why) => refuse(expulsion[why]()) });
  const describe = (error: AppError): Unreached => ({ callId: acceptCallId(textOf(seen.metadata, callIdKey)), metadata: seen.metadata, error, peer: call.getPeer() });
  // The library's own statuses go to this object directly, past every responder; hence its methods themselves are replaced.
  const sendStatus = call.sendStatus.bind(call);
  const finish = (status: FinalStatus, refusal?: AppError): void => {
    seen.answered = true;
    ticket?.leave();
    if (status.code === Code.OK || status.metadata?.get(statusDetailsKey).length) return sendStatus(status);
    const unreached = describe(refusal ?? toLibraryError(status.code ?? Code.UNKNOWN, status.details ?? ''));
    if (!seen.reached) record(path, unreached);
    sendStatus(toStatus(unreached.error, unreached.callId));
  };
  call.sendStatus = (status) => finish(status);
  const start = call.start.bind(call);
  call.start = (listener) =>
    start({
      onReceiveMetadata: (received) => {
        seen.metadata = received;
        if (ticket === undefined) refuse(overloaded());
        else listener.onReceiveMetadata(received);
      },
      onReceiveMessage: (message) => {
        if (ticket === undefined || seen.cancelled) return;
        seen.hasMessage = true;
        listener.onReceiveMessage(message);
      },
      onReceiveHalfClose: () => {
        if (ticket === undefined || seen.cancelled) return;
        if (!ticket.complete()) return refuse(overloaded());
        seen.reached = seen.hasMessage;
        listener.onReceiveHalfClose();
      },
      onCancel: () => {
        seen.cancelled = true;
        ticket?.leave();
        if (!seen.reached && !seen.answered) record(path, describe(new AppError('cancelled', 'CANCELLED', 'the caller gave up before the request was complete')));
        listener.onCancel();
      },
    });
  // The call itself, since the wrapper that grpc-js has for interceptors costs each call as much as all of our own stages; the
  // type asks for that wrapper, grpc-js for its methods only.
  return call as ServerInterceptingCall;
}

interface Unreached {
  callId: string;
  metadata: Metadata;
  error: AppError;
  peer: string;
}

function createRecorder({ record }: EdgeOptions): (path: string, call: Unreached) => void {
  return (method, { callId, metadata, error, peer }) => {
    const code = Code[errorTable[error.kind].code] ?? '';
    const span = startCallSpan(method, metadata, callId);
    endCallSpan(span, { code }, error);
    const traceId = traceIdOf(span?.traceParent ?? continueTrace(textOf(metadata, traceParentKey)));
    record({ method, code, reason: error.reason, requestId: callId, traceId, peer, message: error.message });
  };
}

function endAtShutdown(call: ServerInterceptingCallInterface, openCalls: OpenCalls): ServerInterceptingCall {
  const endable = { stream: true, peer: call.getPeer(), abort: (reason: AppError) => call.sendStatus(toStatus(reason, acceptCallId(undefined))) };
  openCalls.add(endable);
  const listener = new ServerListenerBuilder().withOnCancel(() => openCalls.remove(endable)).build();
  return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(listener)).build());
}
