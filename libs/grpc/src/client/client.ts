import { Metadata, type Client } from '@grpc/grpc-js';
import { policyOf, type ServiceName } from '#libs/contract';
import { assertNoOpenTransaction, currentContext, newCallId, newTraceParent, type CallContext, type Logger, type Metrics } from '#libs/runtime';
import { serviceTokenKey } from '../identity/authenticator.ts';
import type { ServiceIdentity } from '../identity/service-identity.ts';
import type { MethodDefinition, RequestOf, ResponseOf } from '../server/binding.ts';
import { callIdKey } from '../wire/call-id.ts';
import { traceParentKey } from '../wire/trace-parent.ts';
import { abortedBy, attempt } from './attempt.ts';
import { createBreaker, type Breaker, type BreakerOptions, type BreakerState } from './breaker.ts';
import { planCall } from './call-budget.ts';
import { acquireTransport } from './channel.ts';
import { observeCalls } from './observe-calls.ts';

export interface CallOptions {
  /** Instead of the deadline that the contract grants; it can only shorten it. */
  timeoutMs?: number;
}

/**
 * The unary methods of a service as functions. They throw AppError: what the callee told, or DEPENDENCY_UNAVAILABLE,
 * CIRCUIT_OPEN, DEADLINE_EXCEEDED, DEADLINE_TOO_SHORT, CANCELLED.
 */
export type UnaryClient<D> = {
  [M in keyof D]: D[M] extends MethodDefinition ? (request: RequestOf<D[M]>, options?: CallOptions) => Promise<ResponseOf<D[M]>> : never;
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
  client: UnaryClient<D>;
  /** Ends the channel when no other client of this process uses it. */
  close(): void;
  breakers(): { method: string; state: BreakerState }[];
}

interface Method {
  breaker: Breaker;
  call(request: unknown, options?: CallOptions): Promise<unknown>;
}

async function buildMetadata({ identity, callee }: ClientOptions, context: CallContext | undefined): Promise<Metadata> {
  const metadata = new Metadata();
  metadata.set(callIdKey, context?.callId ?? newCallId());
  metadata.set(traceParentKey, context?.traceParent ?? newTraceParent());
  metadata.set(serviceTokenKey, await identity.tokenFor(callee));
  return metadata;
}

/** Deadline → breaker → metadata and the call itself, which grpc-js retries where the contract calls that safe. */
function createMethod(definition: MethodDefinition, transport: Client, options: ClientOptions): Method {
  const { callee, logger, metrics } = options;
  const policy = policyOf(definition.path);
  const method = `${policy.service}/${policy.method}`;
  const breaker = createBreaker({ callee, method, logger, metrics }, options.breaker);
  const observed = observeCalls(metrics, { callee, method });

  const call: Method['call'] = async (request, { timeoutMs = policy.deadlineMs } = {}) => {
    assertNoOpenTransaction(`call of ${method}`);
    const context = currentContext();
    const signal = context?.signal;
    if (signal?.aborted === true) throw abortedBy(signal);
    const budget = planCall(context, Math.min(timeoutMs, policy.deadlineMs), callee);
    const metadata = await buildMetadata(options, context);
    return breaker.run(() => attempt({ transport, definition, callee, request, metadata, budget, signal }));
  };
  return { breaker, call: (request, callOptions) => observed(() => call(request, callOptions)) };
}

/** The client of one service of a callee. Clients of the same target share a channel; each method has a breaker of its own. */
export function createClient<D extends Record<string, MethodDefinition>>(definition: D, options: ClientOptions): ServiceClient<D> {
  const { client: transport, release } = acquireTransport(options.callee, options.address);
  const unary = Object.entries(definition).filter(([, method]) => !method.requestStream && !method.responseStream);
  const methods = new Map(unary.map(([name, method]) => [name, createMethod(method, transport, options)]));
  return {
    client: Object.fromEntries([...methods].map(([name, { call }]) => [name, call])) as UnaryClient<D>,
    close: () => {
      for (const { breaker } of methods.values()) breaker.close();
      release();
    },
    breakers: () => [...methods].map(([method, { breaker }]) => ({ method, state: breaker.state })),
  };
}
