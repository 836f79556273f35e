import { Metadata } from '@grpc/grpc-js';
import { policyOf, type ServiceName } from '#libs/contract';
import { assertNoOpenTransaction, currentContext, newCallId, newTraceParent, type CallContext, type Logger, type Metrics } from '#libs/runtime';
import { serviceTokenKey } from '../identity/authenticator.ts';
import type { ServiceIdentity } from '../identity/service-identity.ts';
import type { MethodDefinition, RequestOf, ResponseOf } from '../server/binding.ts';
import { callIdKey } from '../wire/call-id.ts';
import { traceParentKey } from '../wire/trace-parent.ts';
import { abortedBy, attempt, type AttemptOptions } from './attempt.ts';
import { openListedBreaker } from './breaker-list.ts';
import { type Breaker, type BreakerOptions, type BreakerState } from './breaker.ts';
import { planCall } from './call-budget.ts';
import { acquireTransport, type Transport } from './channel.ts';
import { observeCalls } from './observe-calls.ts';
import type { RetryBudget } from './retry-budget.ts';
import { openStream, readStream } from './stream.ts';

export interface CallOptions {
  /** Instead of the deadline that the contract grants; it can only shorten it. */
  timeoutMs?: number;
}

export interface StreamOptions extends CallOptions {
  /** Ends the call and, quietly, the iteration. */
  signal?: AbortSignal;
}

/**
 * The methods of a service as functions. They throw AppError: what the callee told, or DEPENDENCY_UNAVAILABLE, CIRCUIT_OPEN,
 * DEADLINE_EXCEEDED, DEADLINE_TOO_SHORT, CANCELLED. A server stream is called when its iteration begins, which throws the same.
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
  identity: ServiceIdentity;
  logger: Logger;
  metrics: Metrics;
  breaker?: Partial<BreakerOptions>;
}

export interface ServiceClient<D> {
  client: ClientMethods<D>;
  /** Ends the channel when no other client of this process uses it. */
  close(): void;
  breakers(): { method: string; state: BreakerState }[];
}

interface Method {
  /** Undefined before the first call. */
  breaker(): Breaker | undefined;
  call(request: unknown, options?: StreamOptions): Promise<unknown> | AsyncIterable<unknown>;
}

async function buildMetadata({ identity, callee }: ClientOptions, context: CallContext | undefined): Promise<Metadata> {
  const metadata = new Metadata();
  metadata.set(callIdKey, context?.callId ?? newCallId());
  metadata.set(traceParentKey, context?.traceParent ?? newTraceParent());
  metadata.set(serviceTokenKey, await identity.tokenFor(callee));
  return metadata;
}

/** What every call needs before it goes out. Throws AppError. */
async function prepareCall(definition: MethodDefinition, options: ClientOptions, timeoutMs: number | undefined) {
  const { callee } = options;
  const { service, method, deadlineMs } = policyOf(definition.path);
  assertNoOpenTransaction(`call of ${service}/${method}`);
  const context = currentContext();
  const signal = context?.signal;
  if (signal?.aborted === true) throw abortedBy(signal);
  const budget = planCall(context, Math.min(timeoutMs ?? deadlineMs, deadlineMs), callee);
  return { signal, budget, metadata: await buildMetadata(options, context) };
}

/** Keeps the metric at what is left for retries. */
function watchBudget(metrics: Metrics, callee: string, { retryBudget, isSafe }: { retryBudget: RetryBudget; isSafe: boolean }): AttemptOptions['onEnd'] {
  const tokens = metrics.gauge('grpc_client_retry_budget_tokens', 'What is left for retries, of at most 10; nothing is sent again at 5 or less.', ['callee']);
  tokens.set({ callee }, retryBudget.tokens);
  return (end) => {
    retryBudget.note({ ...end, isSafe });
    tokens.set({ callee }, retryBudget.tokens);
  };
}

/** Deadline → breaker → metadata and the call itself, which grpc-js retries where the contract calls that safe. */
function createMethod(definition: MethodDefinition, { client: transport, retryBudget }: Transport, options: ClientOptions): Method {
  const { callee, logger, metrics } = options;
  const policy = policyOf(definition.path);
  const method = `${policy.service}/${policy.method}`;
  // Made by the first call: a service calls few of the methods that a callee has, and only those have series in its metrics.
  let breaker: Breaker | undefined;
  const openBreaker = (): Breaker => (breaker ??= openListedBreaker({ callee, method, logger, metrics }, { path: definition.path, retryBudget, options: options.breaker }));
  const onEnd = watchBudget(metrics, callee, { retryBudget, isSafe: policy.retry === 'always' });
  const observed = observeCalls(metrics, { callee, method, breakerState: () => openBreaker().state });

  const callUnary = async (request: unknown, timeoutMs: number | undefined): Promise<unknown> => {
    const prepared = await prepareCall(definition, options, timeoutMs);
    return openBreaker().run(() => attempt({ transport, definition, callee, request, ...prepared, onEnd }));
  };
  const openCallStream = async (request: unknown, timeoutMs: number | undefined, own: AbortSignal | undefined) => {
    const { signal: outer, ...prepared } = await prepareCall(definition, options, timeoutMs);
    const signal = AbortSignal.any([own, outer].filter((one) => one !== undefined));
    return { signal, stream: await openBreaker().run(() => openStream({ transport, definition, callee, request, ...prepared, signal, onEnd })) };
  };
  // The breaker and the metrics judge how the stream begins; it may end for many reasons, its deadline among them.
  async function* callStream(request: unknown, { timeoutMs, signal: own }: StreamOptions): AsyncGenerator<unknown, void> {
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
  return { breaker: () => breaker, call };
}

/** The client of one service of a callee. Clients of the same target share a channel; each method has a breaker of its own. */
export function createClient<D extends Record<string, MethodDefinition>>(definition: D, options: ClientOptions): ServiceClient<D> {
  const transport = acquireTransport(options.callee, options.address);
  const callable = Object.entries(definition).filter(([, method]) => !method.requestStream);
  const methods = new Map(callable.map(([name, method]) => [name, createMethod(method, transport, options)]));
  return {
    client: Object.fromEntries([...methods].map(([name, { call }]) => [name, call])) as ClientMethods<D>,
    close: () => {
      for (const { breaker } of methods.values()) breaker()?.close();
      transport.release();
    },
    breakers: () => [...methods].map(([method, { breaker }]) => ({ method, state: breaker()?.state ?? 'closed' })),
  };
}
