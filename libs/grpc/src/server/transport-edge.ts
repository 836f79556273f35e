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
import { traceIdOf, type Logger, type Metrics } from '#libs/runtime';
import { acceptCallId, callIdKey } from '../wire/call-id.ts';
import { textOf } from '../wire/metadata.ts';
import { statusDetailsKey, toStatus } from '../wire/status.ts';
import { continueTrace, traceParentKey } from '../wire/trace-parent.ts';
import { endCallSpan, startCallSpan } from './call-span.ts';
import { serverMetrics } from './observe.ts';
import type { OpenCalls } from './open-calls.ts';

interface EdgeOptions {
  /** Paths that go through the chain; others (health, reflection) are neither logged nor counted. */
  isChained: (path: string) => boolean;
  openCalls: OpenCalls;
  logger: Logger;
  metrics: Metrics;
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
 * What the chain cannot see. grpc-js ends some calls before a handler runs (request too large, damaged compression, no
 * message, cancelled while it was still being sent); such a call gets its details, log line and count here. And streams that
 * do not pass the chain (health, reflection) are ended here at shutdown.
 */
export function transportEdge(options: EdgeOptions): ServerInterceptor {
  const record = createRecorder(options);
  return ({ path, responseStream }, call) => {
    if (!options.isChained(path)) return responseStream ? endAtShutdown(call, options.openCalls) : new ServerInterceptingCall(call);
    let metadata = new Metadata();
    let hasMessage = false;
    let reached = false;
    let answered = false;
    // The library's own statuses go to this object directly, past every responder; hence the method itself is replaced.
    const sendStatus = call.sendStatus.bind(call);
    call.sendStatus = (status) => {
      answered = true;
      if (status.code === Code.OK || status.metadata?.get(statusDetailsKey).length) return sendStatus(status);
      const error = toLibraryError(status.code ?? Code.UNKNOWN, status.details ?? '');
      const callId = acceptCallId(textOf(metadata, callIdKey));
      if (!reached) record(path, { callId, metadata, error, peer: call.getPeer() });
      sendStatus(toStatus(error, callId));
    };
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((received, next) => next((metadata = received)))
      .withOnReceiveMessage((message, next) => {
        hasMessage = true;
        next(message);
      })
      .withOnReceiveHalfClose((next) => {
        reached = hasMessage;
        next();
      })
      .withOnCancel(() => {
        if (reached || answered) return;
        const error = new AppError('cancelled', 'CANCELLED', 'the caller gave up before the request was complete');
        record(path, { callId: acceptCallId(textOf(metadata, callIdKey)), metadata, error, peer: call.getPeer() });
      })
      .build();
    return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(listener)).build());
  };
}

interface Unreached {
  callId: string;
  metadata: Metadata;
  error: AppError;
  peer: string;
}

function createRecorder({ logger, metrics }: EdgeOptions): (path: string, call: Unreached) => void {
  const { handled } = serverMetrics(metrics);
  return (method, { callId, metadata, error, peer }) => {
    const code = Code[errorTable[error.kind].code];
    const span = startCallSpan(method, metadata, callId);
    endCallSpan(span, { code }, error);
    const traceId = traceIdOf(span?.traceParent ?? continueTrace(textOf(metadata, traceParentKey)));
    handled.inc({ method, code, reason: error.reason });
    logger.info({ method, code, reason: error.reason, requestId: callId, traceId, peer, message: error.message }, 'call ended before its request was read');
  };
}

function endAtShutdown(call: ServerInterceptingCallInterface, openCalls: OpenCalls): ServerInterceptingCall {
  const endable = { stream: true, abort: (reason: AppError) => call.sendStatus(toStatus(reason, acceptCallId(undefined))) };
  openCalls.add(endable);
  const listener = new ServerListenerBuilder().withOnCancel(() => openCalls.remove(endable)).build();
  return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(listener)).build());
}
