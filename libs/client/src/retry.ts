import type { DescMessage } from '@bufbuild/protobuf';
import { TaskFlowError, type ErrorCode } from './errors.ts';
import { backoffMs, pause } from './retries.ts';
import type { UnaryCall } from './service-client.ts';

export interface RetryOptions {
  /** Default: a minute. */
  forMs?: number;
  signal?: AbortSignal;
  /** Called before each wait, with what it is for. */
  onWait?: (waitMs: number, error: TaskFlowError) => void;
}

const transient: ReadonlySet<ErrorCode> = new Set([
  'UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'RESOURCE_EXHAUSTED',
  'ABORTED',
]);

/**
 * For programs that would rather wait than fail: repeats a call beyond its own retries while its service is unavailable
 * or overloaded. A change needs a `requestId` of the program's own, the same in each attempt. Rejects with the last
 * error after `forMs` or when the service asks for a wait beyond that, and at once with any other error. `attempt`
 * counts from 0.
 */
export async function retry<T>(
  call: (attempt: number) => Promise<T>,
  { forMs = 60_000, signal, onWait }: RetryOptions = {},
): Promise<T> {
  const giveUp = performance.now() + forMs;
  const isOver = ({ retryAfterMs = 0 }: TaskFlowError): boolean =>
    performance.now() + retryAfterMs > giveUp || signal?.aborted === true;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call(attempt);
    } catch (error) {
      const mayPass = error instanceof TaskFlowError && transient.has(error.code);
      if (!mayPass || isOver(error)) throw error;
      const waitMs = Math.max(error.retryAfterMs ?? 0, backoffMs(attempt + 1));
      onWait?.(waitMs, error);
      await pause(waitMs, signal);
    }
  }
}

/** The same for every call of a method: `itemsOf(retried(tasks.listTasks), {})`. */
export function retried<I extends DescMessage, O extends DescMessage>(
  call: UnaryCall<I, O>,
  options?: RetryOptions,
): UnaryCall<I, O> {
  const patient: typeof call = Object.assign(
    (...[request, callOptions]: Parameters<typeof call>) => retry(() => call(request, callOptions), options),
    { method: call.method },
  );
  return patient;
}
