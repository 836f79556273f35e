import {
  Metadata,
  status as Code,
  type ServerInterceptingCall,
  type ServerInterceptingCallInterface,
} from '@grpc/grpc-js';
import { AppError, errorTable, kindOfCode } from '#libs/errors';
import { acceptRequestId, requestIdKey } from '../wire/request-id.ts';
import { dropPartialMessage, endsInsideMessage, streamOf, withoutWrapper } from '../wire/grpc-js-internals.ts';
import { textOf } from '../wire/metadata.ts';
import { statusDetailsKey, toStatus } from '../wire/status.ts';
import type { ConcurrencyLimiter, Eviction, Permit } from './concurrency-limiter.ts';
import { overloaded } from './early-rejection.ts';
import { isWhole } from './incoming-streams.ts';

/** A call that ended before its handler was reached. */
export interface UnreachedCall {
  requestId: string;
  metadata: Metadata;
  error: AppError;
  peer: string;
}

const incomplete = (): AppError =>
  new AppError('invalid_argument', 'MALFORMED_REQUEST', 'the request is not exactly one complete message');

/** The error for a status that grpc-js itself has chosen. */
export function toLibraryError(code: number, message: string): AppError {
  switch (code) {
    // Beyond the size limit, possibly only after decompression.
    case Code.RESOURCE_EXHAUSTED:
      return new AppError('resource_exhausted', 'REQUEST_TOO_LARGE', 'the request is too large');
    case Code.DEADLINE_EXCEEDED:
      return new AppError('deadline_exceeded', 'DEADLINE_EXCEEDED', 'the time allowed ran out');
    case Code.UNIMPLEMENTED:
      // Either an unknown compression, or no message or more than one.
      return message.includes('encoding')
        ? new AppError('unimplemented', 'UNIMPLEMENTED', 'the compression of the request is not supported')
        : incomplete();
    case Code.INVALID_ARGUMENT:
      // A damaged message; the text is the decompressor's.
      return new AppError('invalid_argument', 'MALFORMED_REQUEST', message);
    default:
      return new AppError(kindOfCode(code), 'INTERNAL', message);
  }
}

type FinalStatus = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];
type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];

interface WatchOptions {
  path: string;
  stream: boolean;
  limiter: ConcurrencyLimiter;
  record: (path: string, call: UnreachedCall) => void;
}

/** How long a client may go on to send a request that has been refused. */
const stopMs = 5000;

const neverArrived = (): AppError =>
  new AppError('deadline_exceeded', 'DEADLINE_EXCEEDED', 'the request did not arrive in time');
const evictionErrors: Record<Eviction, () => AppError> = { late: neverArrived, displaced: overloaded };

/** The error of a request that was evicted while it arrived. */
export const toEvictionError = (why: Eviction): AppError => evictionErrors[why]();

export const isAnswered = (status: FinalStatus): boolean =>
  status.code === Code.OK || (status.metadata?.get(statusDetailsKey).length ?? 0) > 0;

/** The progress of a call. */
interface Progress {
  metadata: Metadata;
  hasMessage: boolean;
  /** The handler has received the request. */
  reached: boolean;
  answered: boolean;
  cancelled: boolean;
}

/** A call whose request is arriving. */
interface Arrival {
  seen: Progress;
  refuse: (error: AppError) => void;
  cancel: () => void;
}

/** Frees a refused request and reads on, so that its client comes to read the status. A client that goes on is reset. */
function dropRequest(call: ServerInterceptingCallInterface): void {
  const stream = streamOf(call);
  dropPartialMessage(call);
  const timer = setTimeout(() => stream.close(), stopMs).unref();
  stream.once('close', () => clearTimeout(timer)).resume();
}

/** Passes a call to its handler, unless its request is malformed. */
function passOn(
  call: ServerInterceptingCallInterface,
  listener: Listener,
  { seen, refuse, cancel, permit }: Arrival & { permit: Permit },
): Listener {
  return {
    onReceiveMetadata: (received) => listener.onReceiveMetadata((seen.metadata = received)),
    onReceiveMessage: (message) => {
      if (seen.cancelled) return;
      seen.hasMessage = true;
      listener.onReceiveMessage(message);
    },
    onReceiveHalfClose: () => {
      if (seen.cancelled) return;
      if (!permit.complete()) return refuse(overloaded());
      if (endsInsideMessage(call)) return refuse(incomplete());
      seen.reached = seen.hasMessage;
      listener.onReceiveHalfClose();
    },
    onCancel: () => {
      cancel();
      listener.onCancel();
    },
  };
}

/** Refuses a call as soon as its metadata, with the request id, have arrived. */
function refuseOnMetadata(listener: Listener, { seen, refuse, cancel }: Arrival): Listener {
  return {
    onReceiveMetadata: (received) => {
      seen.metadata = received;
      refuse(overloaded());
    },
    onReceiveMessage: () => undefined,
    onReceiveHalfClose: () => undefined,
    onCancel: () => {
      cancel();
      listener.onCancel();
    },
  };
}

/** Lets a call in or refuses it. Calls that end before their handler runs get details, a log line and a count. */
export function watchCall(
  call: ServerInterceptingCallInterface,
  { path, stream, limiter, record }: WatchOptions,
): ServerInterceptingCall {
  const seen: Progress = {
    metadata: new Metadata(),
    hasMessage: false,
    reached: false,
    answered: false,
    cancelled: false,
  };
  const describe = (error: AppError): UnreachedCall => ({
    requestId: acceptRequestId(textOf(seen.metadata, requestIdKey)),
    metadata: seen.metadata,
    error,
    peer: call.getPeer(),
  });
  // grpc-js calls this method for its own statuses, without any responder.
  const sendStatus = call.sendStatus.bind(call);
  const finish = (status: FinalStatus, refusal?: AppError): void => {
    // grpc-js goes on reading and may report more faults.
    if (seen.answered) return;
    seen.answered = true;
    permit?.release();
    if (isAnswered(status)) return sendStatus(status);
    const unreached = describe(refusal ?? toLibraryError(status.code ?? Code.UNKNOWN, status.details ?? ''));
    if (!seen.reached) record(path, unreached);
    sendStatus(toStatus(unreached.error, unreached.requestId));
  };
  const refuse = (error: AppError): void =>
    finish({ code: errorTable[error.kind].code, details: error.message }, error);
  const http2Stream = streamOf(call);
  // grpc-js reports the end of a request only when it is read.
  const whole = isWhole(http2Stream);
  const evict = (why: Eviction): void => {
    refuse(toEvictionError(why));
    dropRequest(call);
  };
  const permit = limiter.acquire({ stream, peer: call.getPeer(), whole, evict });
  if (permit !== undefined && !whole) http2Stream.on('data', (part: Buffer) => permit.receive(part.length));
  const cancel = (): void => {
    seen.cancelled = true;
    permit?.release();
    if (seen.reached || seen.answered) return;
    record(
      path,
      describe(new AppError('cancelled', 'CANCELLED', 'the caller gave up before the request was complete')),
    );
  };
  call.sendStatus = (status) => finish(status);
  const start = call.start.bind(call);
  const arrival = { seen, refuse, cancel };
  call.start = (listener) =>
    start(permit === undefined ? refuseOnMetadata(listener, arrival) : passOn(call, listener, { ...arrival, permit }));
  return withoutWrapper(call);
}
