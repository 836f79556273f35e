import {
  Metadata,
  ResponderBuilder,
  ServerInterceptingCall,
  ServerListenerBuilder,
  status as Code,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { errorTable, type AppError } from '#libs/errors';
import { continueTrace, traceIdOf } from '#libs/runtime';
import { acceptRequestId, requestIdKey } from '../wire/request-id.ts';
import { setDecompress } from '../wire/grpc-js-internals.ts';
import { textOf } from '../wire/metadata.ts';
import { toStatus } from '../wire/status.ts';
import { traceParentKey } from '../wire/trace-parent.ts';
import type { ConcurrencyLimiter } from './concurrency-limiter.ts';
import { endCallSpan, startCallSpan } from '../interceptors/call-span.ts';
import { createDecompressor } from './decompress.ts';
import type { OpenCalls } from './open-calls.ts';
import type { UnreadCall } from './refusal-log.ts';
import { isAnswered, toLibraryError, watchCall, type UnreachedCall } from './watch-call.ts';

interface EdgeOptions {
  /** Whether a path passes the chain. Others (health, reflection) are neither logged nor counted. */
  isChained: (path: string) => boolean;
  openCalls: OpenCalls;
  limiter: ConcurrencyLimiter;
  /** The limit of a request. */
  maxMessageBytes: number;
  /** Logs and counts a call that has ended. */
  record: (call: UnreadCall) => void;
}

/**
 * Handles calls outside the chain:
 * - gives calls their permits, and refuses requests that arrive too late or have no room any more;
 * - gives details, a log line and a count to calls that grpc-js ends before a handler runs (too large, damaged
 *   compression, no message, cancelled while being sent);
 * - ends streams that do not pass the chain (health, reflection) at shutdown.
 */
export function transportEdge(options: EdgeOptions): ServerInterceptor {
  const record = createRecorder(options);
  const decompress = createDecompressor(options.maxMessageBytes);
  return ({ path, responseStream }, call) => {
    setDecompress(call, decompress);
    if (options.isChained(path))
      return watchCall(call, { path, stream: responseStream, limiter: options.limiter, record });
    watchBuiltIn(call, path, record);
    return responseStream ? endAtShutdown(call, options.openCalls) : new ServerInterceptingCall(call);
  };
}

/** Gives details, a log line and a count to requests that are refused before health or reflection receives them. */
function watchBuiltIn(
  call: ServerInterceptingCallInterface,
  path: string,
  record: (path: string, call: UnreachedCall) => void,
): void {
  let metadata = new Metadata();
  let reached = false;
  let refused = false;
  const sendStatus = call.sendStatus.bind(call);
  call.sendStatus = (status) => {
    if (refused) return;
    if (reached || isAnswered(status)) return sendStatus(status);
    refused = true;
    const error = toLibraryError(status.code ?? Code.UNKNOWN, status.details ?? '');
    const requestId = acceptRequestId(textOf(metadata, requestIdKey));
    record(path, { requestId, metadata, error, peer: call.getPeer() });
    sendStatus(toStatus(error, requestId));
  };
  const start = call.start.bind(call);
  call.start = (listener) =>
    start({
      onReceiveMetadata: (received) => listener.onReceiveMetadata((metadata = received)),
      onReceiveMessage: (message) => {
        reached = true;
        listener.onReceiveMessage(message);
      },
      onReceiveHalfClose: () => listener.onReceiveHalfClose(),
      onCancel: () => listener.onCancel(),
    });
}

function createRecorder({ record }: EdgeOptions): (path: string, call: UnreachedCall) => void {
  return (method, { requestId, metadata, error, peer }) => {
    const code = Code[errorTable[error.kind].code] ?? '';
    const span = startCallSpan(method, metadata, requestId);
    endCallSpan(span, { code }, error);
    const traceId = traceIdOf(span?.traceParent ?? continueTrace(textOf(metadata, traceParentKey)));
    record({ method, code, reason: error.reason, requestId, traceId, peer, message: error.message });
  };
}

function endAtShutdown(call: ServerInterceptingCallInterface, openCalls: OpenCalls): ServerInterceptingCall {
  const endable = {
    stream: true,
    peer: call.getPeer(),
    abort: (reason: AppError) => call.sendStatus(toStatus(reason, acceptRequestId(undefined))),
  };
  openCalls.add(endable);
  const listener = new ServerListenerBuilder().withOnCancel(() => openCalls.remove(endable)).build();
  return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(listener)).build());
}
