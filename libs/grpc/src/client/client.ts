import { Metadata } from '@grpc/grpc-js';
import { policyOf, type ServiceName } from '#libs/contract';
import {
  assertNoOpenTransaction,
  currentContext,
  newRequestId,
  newTraceParent,
  type CallContext,
  type Logger,
  type Metrics,
} from '#libs/runtime';
import type { MethodDefinition, RequestOf, ResponseOf } from '../wire/method.ts';
import { requestIdKey } from '../wire/request-id.ts';
import { traceParentKey } from '../wire/trace-parent.ts';
import { abortedBy, attempt, type AttemptOptions } from './attempt.ts';
import { openListedBreaker } from './breaker-list.ts';
import type { Breaker, BreakerOptions } from './breaker.ts';
import { planCall } from './call-budget.ts';
import { acquireTransport, type Transport } from './channel.ts';
import { observeCalls } from './observe-calls.ts';
import { proveIdentity, type ClientIdentity } from './prove.ts';
import type { RetryBudget } from './retry-budget.ts';
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

export interface ClientOptions {
  callee: ServiceName;
  /** A gRPC target: "127.0.0.1:50052", "dns:///users:50052". */
  address: string;
  identity: ClientIdentity;
  logger: Logger;
  metrics: Metrics;
  breaker?: Partial<BreakerOptions>;
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

function buildMetadata(context: CallContext | undefined): Metadata {
  const metadata = new Metadata();
  metadata.set(requestIdKey, context?.requestId ?? newRequestId());
  metadata.set(traceParentKey, context?.traceParent ?? newTraceParent());
  return metadata;
}

/** Plans a call and builds its metadata. Throws AppError. */
function prepareCall(definition: MethodDefinition, callee: string, timeoutMs: number | undefined) {
  const { service, method, deadlineMs } = policyOf(definition.path);
  assertNoOpenTransaction(`call of ${service}/${method}`);
  const context = currentContext();
  const signal = context?.signal;
  if (signal?.aborted === true) throw abortedBy(signal);
  const budget = planCall(context, Math.min(timeoutMs ?? deadlineMs, deadlineMs), callee);
  return { signal, budget, metadata: buildMetadata(context) };
}

/** Returns an `onEnd` that books the attempt on the retry budget and shows the budget in a metric. */
function watchBudget(
  metrics: Metrics,
  callee: string,
  { retryBudget, isSafe }: { retryBudget: RetryBudget; isSafe: boolean },
): AttemptOptions['onEnd'] {
  const tokens = metrics.gauge(
    'grpc_client_retry_budget_tokens',
    'What is left for retries, of at most 10; nothing is sent again at 5 or less.',
    ['callee'],
  );
  tokens.set({ callee }, retryBudget.tokens);
  return (end) => {
    retryBudget.note({ ...end, isSafe });
    tokens.set({ callee }, retryBudget.tokens);
  };
}

/** Deadline → breaker → metadata and the call itself, which grpc-js retries where the contract calls that safe. */
function createMethod(
  definition: MethodDefinition,
  { client: transport, retryBudget }: Transport,
  options: ClientOptions,
): Method {
  const { callee, identity, logger, metrics } = options;
  const policy = policyOf(definition.path);
  const method = `${policy.service}/${policy.method}`;
  // Created by the first call, so that only the methods that a service calls have series in its metrics.
  let breaker: Breaker | undefined;
  const openBreaker = (): Breaker =>
    (breaker ??= openListedBreaker(
      { callee, method, logger, metrics },
      { path: definition.path, retryBudget, options: options.breaker },
    ));
  const onEnd = watchBudget(metrics, callee, { retryBudget, isSafe: policy.retry === 'always' });
  const observed = observeCalls(metrics, { callee, method, breakerState: () => openBreaker().state });

  const proof = { identity, callee, isAsked: policy.access === 'service' };

  const callUnary = async (request: unknown, timeoutMs: number | undefined): Promise<unknown> => {
    const prepared = prepareCall(definition, callee, timeoutMs);
    return openBreaker().run(() =>
      proveIdentity({ ...proof, ...prepared }, (onIdentity) =>
        attempt({ transport, definition, callee, request, ...prepared, onIdentity, onEnd }),
      ),
    );
  };
  const openCallStream = async (request: unknown, timeoutMs: number | undefined, own: AbortSignal | undefined) => {
    const { signal: outer, ...prepared } = prepareCall(definition, callee, timeoutMs);
    const signal = AbortSignal.any([own, outer].filter((one) => one !== undefined));
    const open = () =>
      proveIdentity({ ...proof, ...prepared }, (onIdentity) =>
        openStream({ transport, definition, callee, request, ...prepared, signal, onIdentity, onEnd }),
      );
    return { signal, stream: await openBreaker().run(open) };
  };
  // The breaker and the metrics count how the stream begins. It may end for many harmless reasons, such as its
  // deadline.
  async function* callStream(
    request: unknown,
    { timeoutMs, signal: own }: StreamOptions,
  ): AsyncGenerator<unknown, void> {
    try {
      if (own?.aborted === true) return;
      const { stream, signal } = await observed(() => openCallStream(request, timeoutMs, own));
      yield* readStream(stream, callee, signal);
    } catch (error) {
      if (own?.aborted !== true) throw error;
    }
  }
  const call: Method['call'] = definition.responseStream
    ? (request, streamOptions = {}) => callStream(request, streamOptions)
    : (request, { timeoutMs } = {}) => observed(() => callUnary(request, timeoutMs));
  return { call, close: () => breaker?.close() };
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
