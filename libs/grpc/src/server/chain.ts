import type { Metadata } from '@grpc/grpc-js';
import type { MethodPolicy, ServiceName } from '#libs/contract';
import type { AppError } from '#libs/errors';
import type { CallContext, UserActor } from '#libs/runtime';
import type { BoundMethod } from './binding.ts';

/** One call on its way through the chain. */
export interface IncomingCall {
  readonly method: BoundMethod;
  readonly policy: MethodPolicy;
  readonly context: CallContext;
  readonly metadata: Metadata;
  /** The request as it came from the wire. */
  readonly requestBytes: Buffer;
  /** Set by `authenticate`: who proved to be calling. */
  caller: { user?: UserActor; service?: ServiceName };
  /** Set by `decode`. */
  request: unknown;
  /** Hands an encoded message to the transport; resolves when the next one may follow. */
  send(bytes: Buffer): Promise<void>;
  /** Ends the call with this error, wherever it is; without effect once it is over. */
  abort(reason: AppError): void;
  /** Calls the one listener when the call is aborted (deadline, cancellation, shutdown), at once if it has been. */
  whenAborted(listener: (reason: AppError) => void): void;
}

/**
 * A stage that every call passes. It lets the call go on with `next()`, which settles when everything further inside has,
 * or refuses it by throwing an AppError.
 */
export type Interceptor = (call: IncomingCall, next: () => Promise<void>) => Promise<void>;

/** One function out of a list: the first interceptor is the outermost, the last is the innermost and does not call `next`. */
export function chain(interceptors: readonly Interceptor[]): (call: IncomingCall) => Promise<void> {
  return (call) => {
    const enter = (index: number): Promise<void> => interceptors[index]?.(call, () => enter(index + 1)) ?? Promise.resolve();
    return enter(0);
  };
}
