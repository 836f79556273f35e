import type { Metadata } from '@grpc/grpc-js';
import type { MethodPolicy } from '#libs/contract';
import { AppError } from '#libs/errors';
import { traceIdOf, type CallContext, type Logger } from '#libs/runtime';
import { acceptCallId, callIdKey } from '../wire/call-id.ts';
import { textOf } from '../wire/metadata.ts';
import { continueTrace, traceParentKey } from '../wire/trace-parent.ts';
import { startCallSpan } from './call-span.ts';

export interface Arrival {
  policy: MethodPolicy;
  metadata: Metadata;
  /** The address of the client, without port. */
  peer: string;
  /** Milliseconds since 1970; Infinity when the client set none. */
  clientDeadline: number;
  logger: Logger;
}

export interface OpenCall {
  context: CallContext;
  /** Ends the call early with this error; later calls change nothing. */
  abort(reason: AppError): void;
  /** The caller gave up. Without effect on a call that is over, as after each that went well. */
  cancel(): void;
  /** Calls the one listener when the call is aborted, at once if it has been. */
  whenAborted(listener: (reason: AppError) => void): void;
  /** The call is over: the deadline's timer is stopped and `abort` has no effect any more. */
  close(): void;
}

// grpc-js answers a passed deadline by itself, without details, and the client stops waiting at that moment too. So that the
// full answer arrives in time, our deadline is a little earlier than the client's.
const answerReserve = { share: 0.1, maxMs: 20 };

function deadlineOf({ policy, clientDeadline }: Arrival, now: number): number {
  const reserveMs = Math.min(answerReserve.maxMs, Math.max(0, clientDeadline - now) * answerReserve.share);
  return Math.min(clientDeadline - reserveMs, now + policy.deadlineMs);
}

/** The end that a call may come to early. A signal is expensive and most calls that go well never look at theirs: it is made when asked for. */
function createEnding() {
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
  return {
    abort,
    cancel: (): void => {
      if (!closed) abort(new AppError('cancelled', 'CANCELLED', 'the caller gave up'));
    },
    close: (): void => {
      closed = true;
    },
    whenAborted: (next: (reason: AppError) => void): void => {
      if (ended === undefined) listener = next;
      else next(ended);
    },
    signal: (): AbortSignal => {
      if (controller === undefined) {
        controller = new AbortController();
        if (ended !== undefined) controller.abort(ended);
      }
      return controller.signal;
    },
  };
}

/** Builds the context of a call that has just arrived, with a signal that fires at its deadline. */
export function openCall(arrival: Arrival): OpenCall {
  const { policy, metadata, peer, logger } = arrival;
  const now = Date.now();
  const deadline = deadlineOf(arrival, now);
  const callId = acceptCallId(textOf(metadata, callIdKey));
  const span = startCallSpan(policy.path, metadata, callId);
  const traceParent = span?.traceParent ?? continueTrace(textOf(metadata, traceParentKey));
  const ending = createEnding();
  const tooLate = () => ending.abort(new AppError('deadline_exceeded', 'DEADLINE_EXCEEDED', 'the time allowed ran out'));
  const timer = setTimeout(tooLate, Math.max(0, deadline - now));
  let ownLogger: Logger | undefined;
  const context: CallContext = {
    callId,
    method: policy.path,
    deadline,
    get signal() {
      return ending.signal();
    },
    actor: { kind: 'anonymous' },
    peer,
    userAgent: textOf(metadata, 'user-agent') ?? '',
    traceParent,
    span,
    // Most calls have nothing to say but their access line.
    get logger() {
      return (ownLogger ??= logger.child({ requestId: callId, traceId: traceIdOf(traceParent), method: policy.path }));
    },
  };
  const close = (): void => {
    ending.close();
    clearTimeout(timer);
  };
  return { context, abort: ending.abort, cancel: ending.cancel, whenAborted: ending.whenAborted, close };
}
