import type { ServiceError } from '@grpc/grpc-js';
import { policyOf, type ServiceName } from '#libs/contract';
import type { MethodDefinition, RequestOf, ResponseOf } from '../wire/method.ts';
import { attempt } from './attempt.ts';
import { FailedAttempt } from './breaker.ts';
import { classifyFailure, toCalleeError } from './callee-error.ts';
import { acquireTransport, type Transport } from './channel.ts';
import { openEdge, prepareCall, type EdgeOptions } from './edge.ts';
import { proveIdentity, type ClientIdentity } from './prove.ts';
import { openStream, readStream } from './stream.ts';

export interface CallOptions {
  /** Shortens the deadline of the contract; a longer time has no effect. */
  timeoutMs?: number;
}

export interface StreamOptions extends CallOptions {
  /** Ends the call and, quietly, the iteration. */
  signal?: AbortSignal;
}

/**
 * The methods of a service as functions. They throw AppError: the callee's, or DEPENDENCY_UNAVAILABLE, CIRCUIT_OPEN,
 * DEADLINE_EXCEEDED, DEADLINE_TOO_SHORT, CANCELLED. A server stream starts with its iteration, which throws the same.
 */
export type ClientMethods<D> = {
  [M in keyof D]: D[M] extends MethodDefinition
    ? D[M]['responseStream'] extends true
      ? (request: RequestOf<D[M]>, options?: StreamOptions) => AsyncIterable<ResponseOf<D[M]>>
      : (request: RequestOf<D[M]>, options?: CallOptions) => Promise<ResponseOf<D[M]>>
    : never;
};

export interface ClientOptions extends EdgeOptions {
  callee: ServiceName;
  /** A gRPC target: "127.0.0.1:50052", "dns:///users:50052". */
  address: string;
  identity: ClientIdentity;
}

export interface ServiceClient<D> {
  client: ClientMethods<D>;
  /** Ends the channel when no other client of this process uses it. */
  close(): void;
}

interface Method {
  call(request: unknown, options?: StreamOptions): Promise<unknown> | AsyncIterable<unknown>;
  close(): void;
}

/** Deadline → breaker → metadata and the call itself, which grpc-js retries where the contract calls that safe. */
function createMethod(definition: MethodDefinition, transport: Transport, options: ClientOptions): Method {
  const { callee, identity } = options;
  const { breaker, observed, onEnd, close } = openEdge(definition, transport, options);
  const proof = { identity, callee, isAsked: policyOf(definition.path).access === 'service' };
  const attemptOptions = { transport: transport.client, definition, onEnd };
  const judge = (error: ServiceError, full: boolean): FailedAttempt =>
    new FailedAttempt(toCalleeError(error, callee), classifyFailure(error, full));

  const prepare = (timeoutMs: number | undefined) => {
    const prepared = prepareCall(definition, callee, timeoutMs);
    return { ...prepared, judge: (error: ServiceError) => judge(error, prepared.budget.full) };
  };
  const callUnary = async (request: unknown, timeoutMs: number | undefined): Promise<unknown> => {
    const prepared = prepare(timeoutMs);
    return breaker().run(() =>
      proveIdentity({ ...proof, ...prepared }, (onIdentity) =>
        attempt({ ...attemptOptions, request, ...prepared, onIdentity }),
      ),
    );
  };
  const openCallStream = async (request: unknown, timeoutMs: number | undefined, own: AbortSignal | undefined) => {
    const { signal: outer, ...prepared } = prepare(timeoutMs);
    const signal = AbortSignal.any([own, outer].filter((one) => one !== undefined));
    const open = () =>
      proveIdentity({ ...proof, ...prepared }, (onIdentity) =>
        openStream({ ...attemptOptions, request, ...prepared, signal, onIdentity }),
      );
    return { signal, judge: prepared.judge, stream: await breaker().run(open) };
  };
  // The breaker and the metrics count how the stream begins. It may end for many harmless reasons, such as its
  // deadline.
  async function* callStream(
    request: unknown,
    { timeoutMs, signal: own }: StreamOptions,
  ): AsyncGenerator<unknown, void> {
    try {
      if (own?.aborted === true) return;
      const { stream, ...reading } = await observed(() => openCallStream(request, timeoutMs, own));
      yield* readStream(stream, reading);
    } catch (error) {
      if (own?.aborted !== true) throw error;
    }
  }
  const call: Method['call'] = definition.responseStream
    ? (request, streamOptions = {}) => callStream(request, streamOptions)
    : (request, { timeoutMs } = {}) => observed(() => callUnary(request, timeoutMs));
  return { call, close };
}

/** The client of one service. Clients of a target share a channel; each method has its own breaker. */
export function createClient<D extends Record<string, MethodDefinition>>(
  definition: D,
  options: ClientOptions,
): ServiceClient<D> {
  const { callee, address, identity } = options;
  const transport = acquireTransport({ callee, address, certificates: identity.certificates });
  const callable = Object.entries(definition).filter(([, method]) => !method.requestStream);
  const methods = new Map(callable.map(([name, method]) => [name, createMethod(method, transport, options)]));
  return {
    client: Object.fromEntries([...methods].map(([name, { call }]) => [name, call])) as ClientMethods<D>,
    close: () => {
      for (const { close } of methods.values()) close();
      transport.release();
    },
  };
}
