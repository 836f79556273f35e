import { status } from '@grpc/grpc-js';
import { errorTable, toAppError } from '#libs/errors';
import type { Metrics } from '#libs/runtime';

/** Counts and times the calls to one method of a callee, retries included and refusals of the breaker too. */
export function observeCalls(metrics: Metrics, labels: { callee: string; method: string }): <T>(call: () => Promise<T>) => Promise<T> {
  const handled = metrics.counter('grpc_client_handled_total', 'Calls to other services, by status code and reason.', ['callee', 'method', 'code', 'reason']);
  const seconds = metrics.histogram('grpc_client_handling_seconds', 'Time of calls to other services, retries included.', ['callee', 'method']);
  return async (call) => {
    const stop = seconds.startTimer(labels);
    try {
      const result = await call();
      handled.inc({ ...labels, code: 'OK', reason: '' });
      return result;
    } catch (error) {
      const { kind, reason } = toAppError(error);
      handled.inc({ ...labels, code: status[errorTable[kind].code], reason });
      throw error;
    } finally {
      stop();
    }
  };
}
