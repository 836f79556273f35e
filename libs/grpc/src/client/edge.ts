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
import type { MethodDefinition } from '../wire/method.ts';
import { requestIdKey } from '../wire/request-id.ts';
import { traceParentKey } from '../wire/trace-parent.ts';
import { abortedBy, type AttemptOptions } from './attempt.ts';
import { openListedBreaker } from './breaker-list.ts';
import type { Breaker, BreakerOptions } from './breaker.ts';
import { planCall } from './call-budget.ts';
import type { Transport } from './channel.ts';
import { observeCalls } from './observe-calls.ts';
import type { RetryBudget } from './retry-budget.ts';

export interface EdgeOptions {
  callee: ServiceName;
  logger: Logger;
  metrics: Metrics;
  breaker?: Partial<BreakerOptions>;
}

/** What guards and counts the calls of one method of another service. */
export interface Edge {
  /** Created by the first call, so that only the methods that are called have series in the metrics. */
  breaker(): Breaker;
  /** Counts, times and traces a call. */
  observed<T>(call: () => Promise<T>): Promise<T>;
  onEnd: AttemptOptions['onEnd'];
  close(): void;
}

function buildMetadata(context: CallContext | undefined): Metadata {
  const metadata = new Metadata();
  metadata.set(requestIdKey, context?.requestId ?? newRequestId());
  metadata.set(traceParentKey, context?.traceParent ?? newTraceParent());
  return metadata;
}

/** Plans a call and builds its metadata. Throws AppError. */
export function prepareCall(definition: Pick<MethodDefinition, 'path'>, callee: string, timeoutMs: number | undefined) {
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

/** Opens the edge to a method. The caller closes it. */
export function openEdge(
  { path }: Pick<MethodDefinition, 'path'>,
  { retryBudget }: Transport,
  { callee, logger, metrics, breaker: options }: EdgeOptions,
): Edge {
  const policy = policyOf(path);
  const method = `${policy.service}/${policy.method}`;
  let breaker: Breaker | undefined;
  const open = (): Breaker =>
    (breaker ??= openListedBreaker({ callee, method, logger, metrics }, { path, retryBudget, options }));
  return {
    breaker: open,
    observed: observeCalls(metrics, { callee, method, breakerState: () => open().state }),
    onEnd: watchBudget(metrics, callee, { retryBudget, isSafe: policy.retry === 'always' }),
    close: () => breaker?.close(),
  };
}
