import type { DescMessage } from '@bufbuild/protobuf';
import type { Metadata } from '@grpc/grpc-js';
import type { MethodPolicy, ServiceName } from '#libs/contract';
import type { AppError } from '#libs/errors';
import type { CallContext, UserActor } from '#libs/runtime';
import type { CallerCertificate } from '../wire/caller-certificate.ts';
import type { MethodDefinition } from '../wire/method.ts';

/** A method with its handler, without their types. */
export interface BoundMethod {
  policy: MethodPolicy;
  definition: MethodDefinition;
  requestType: DescMessage;
  /** Calls the handler and passes each message of the answer to `send`, one at a time. */
  invoke(request: unknown, context: CallContext, send: (message: unknown) => Promise<void>): Promise<void>;
}

/** A call that runs, whether it is handled here or forwarded. */
export interface RunningCall {
  readonly policy: MethodPolicy;
  readonly context: CallContext;
  readonly metadata: Metadata;
  /** The client certificate of the connection. */
  readonly certificate?: CallerCertificate | undefined;
  /** Set by `authenticate`: the identified user and service. */
  caller: { user?: UserActor; service?: ServiceName };
  /** Passes an encoded message to the transport. Resolves when the next message may follow. */
  send(bytes: Buffer): Promise<void>;
  /** Calls the only listener when the call is aborted (deadline, cancellation, shutdown), at once if it already is. */
  whenAborted(listener: (reason: AppError) => void): void;
}

/** One call in the chain of a service. */
export interface IncomingCall extends RunningCall {
  readonly method: BoundMethod;
  /** The encoded request. */
  readonly requestBytes: Buffer;
  /** Set by `decode`. */
  request: unknown;
  /** Ends a running call with this error. */
  abort(reason: AppError): void;
}

/** A stage of the chain. It calls `next()`, which runs the later stages, or refuses the call with an AppError. */
export type Interceptor<C extends RunningCall = IncomingCall> = (call: C, next: () => Promise<void>) => Promise<void>;

/** Joins interceptors to one function. The first is the outermost; the last does not call `next`. */
export function chain<C extends RunningCall>(interceptors: readonly Interceptor<C>[]): (call: C) => Promise<void> {
  return (call) => {
    const enter = (index: number): Promise<void> =>
      interceptors[index]?.(call, () => enter(index + 1)) ?? Promise.resolve();
    return enter(0);
  };
}
