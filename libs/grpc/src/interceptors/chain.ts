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

/** One call in the chain. */
export interface IncomingCall {
  readonly method: BoundMethod;
  readonly policy: MethodPolicy;
  readonly context: CallContext;
  readonly metadata: Metadata;
  /** The encoded request. */
  readonly requestBytes: Buffer;
  /** The client certificate of the connection. */
  readonly certificate: CallerCertificate | undefined;
  /** Set by `authenticate`: the identified user and service. */
  caller: { user?: UserActor; service?: ServiceName };
  /** Set by `decode`. */
  request: unknown;
  /** Passes an encoded message to the transport. Resolves when the next message may follow. */
  send(bytes: Buffer): Promise<void>;
  /** Ends a running call with this error. */
  abort(reason: AppError): void;
  /** Calls the only listener when the call is aborted (deadline, cancellation, shutdown), at once if it already is. */
  whenAborted(listener: (reason: AppError) => void): void;
}

/** A stage of the chain. It calls `next()`, which runs the later stages, or refuses the call with an AppError. */
export type Interceptor = (call: IncomingCall, next: () => Promise<void>) => Promise<void>;

/** Joins interceptors to one function. The first is the outermost; the last does not call `next`. */
export function chain(interceptors: readonly Interceptor[]): (call: IncomingCall) => Promise<void> {
  return (call) => {
    const enter = (index: number): Promise<void> =>
      interceptors[index]?.(call, () => enter(index + 1)) ?? Promise.resolve();
    return enter(0);
  };
}
