import type { Metadata } from '@grpc/grpc-js';
import type { MethodPolicy } from '#libs/contract';
import { AppError } from '#libs/errors';
import { continueTrace, steadyNow, timerMs, traceIdOf, type CallContext, type Logger } from '#libs/runtime';
import { acceptRequestId, requestIdKey } from '../wire/request-id.ts';
import { forwardedUserAgentKey, textOf } from '../wire/metadata.ts';
import { traceParentKey } from '../wire/trace-parent.ts';
import { startCallSpan } from '../interceptors/call-span.ts';

export interface Arrival {
  policy: MethodPolicy;
  metadata: Metadata;
  /** The address of the client, without port. */
  peer: string;
  /** Milliseconds since 1970; Infinity when the client set none. */
  clientDeadline: number;
  logger: Logger;
}

/** The end of a call. */
interface Ending {
  /** Ends the call early with this error. Only the first abort of a running call has an effect. */
  abort(reason: AppError): void;
  /** Aborts the call because the caller cancelled it. */
  cancel(): void;
  /** Calls the only listener when the call is aborted, at once if it already is. */
  whenAborted(listener: (reason: AppError) => void): void;
  /** Marks the call as over: the deadline and `abort` have no effect any more. */
  close(): void;
  /** Fires when the call is aborted. */
  signal(): AbortSignal;
}

export interface OpenCall extends Ending {
  context: CallContext;
}

// At the client's deadline the client stops waiting and grpc-js answers without details. The deadline here is a little
// earlier, so that an answer with details arrives in time.
const answerReserve = { share: 0.1, maxMs: 20 };

/** The time that is left for the call, in milliseconds. */
function timeOf({ policy, clientDeadline }: Arrival): number {
  // grpc-js has just computed the deadline from a duration and Date.now().
  const clientMs = clientDeadline - Date.now();
  const reserveMs = Math.min(answerReserve.maxMs, Math.max(0, clientMs) * answerReserve.share);
  return Math.min(clientMs - reserveMs, policy.deadlineMs);
}

/** Creates the signal on demand, because signals are expensive and most calls never use theirs. */
function createEnding(timeMs: number): Ending {
  let controller: AbortController | undefined;
  let listener: ((reason: AppError) => void) | undefined;
  let ended: AppError | undefined;
  let closed = false;
  const abort = (reason: AppError): void => {
    if (closed || ended !== undefined) return;
    ended = reason;
    controller?.abort(reason);
    listener?.(reason);
  };
  const tooLate = () => abort(new AppError('deadline_exceeded', 'DEADLINE_EXCEEDED', 'the time allowed ran out'));
  const timer = setTimeout(tooLate, timerMs(timeMs));
  if (timeMs <= 0) tooLate();
  return {
    abort,
    cancel: () => {
      if (!closed) abort(new AppError('cancelled', 'CANCELLED', 'the caller gave up'));
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
    whenAborted: (next) => {
      if (ended === undefined) listener = next;
      else next(ended);
    },
    signal: () => {
      if (controller === undefined) {
        controller = new AbortController();
        if (ended !== undefined) controller.abort(ended);
      }
      return controller.signal;
    },
  };
}

/** Builds the context of an incoming call, with a signal that fires at its deadline. */
export function openCall(arrival: Arrival): OpenCall {
  const { policy, metadata, peer, logger } = arrival;
  const timeMs = timeOf(arrival);
  const requestId = acceptRequestId(textOf(metadata, requestIdKey));
  const span = startCallSpan(policy.path, metadata, requestId);
  const traceParent = span?.traceParent ?? continueTrace(textOf(metadata, traceParentKey));
  const ending = createEnding(timeMs);
  let ownLogger: Logger | undefined;
  const context: CallContext = {
    requestId,
    method: policy.path,
    deadline: steadyNow() + timeMs,
    get signal() {
      return ending.signal();
    },
    actor: { kind: 'anonymous' },
    peer,
    userAgent: textOf(metadata, forwardedUserAgentKey) ?? textOf(metadata, 'user-agent') ?? '',
    traceParent,
    span,
    // Created on demand: most calls log nothing but their access line.
    get logger() {
      return (ownLogger ??= logger.child({ requestId, traceId: traceIdOf(traceParent), method: policy.path }));
    },
  };
  return { context, ...ending };
}
