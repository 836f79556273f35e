import { status } from '@grpc/grpc-js';
import { errorTable, toAppError } from '#libs/errors';
import { inSpan, type ActiveSpan, type Metrics } from '#libs/runtime';
import type { BreakerState } from './breaker.ts';

interface ObservedMethod {
  callee: string;
  /** "taskflow.users.v1.InternalUsersService/BatchGetUsers" */
  method: string;
  breakerState: () => BreakerState;
}

/** Counts, times and traces the calls of one method, including those that the breaker refuses. Retries count as one. */
export function observeCalls(
  metrics: Metrics,
  { callee, method, breakerState }: ObservedMethod,
): <T>(call: () => Promise<T>) => Promise<T> {
  const labels = { callee, method };
  const handled = metrics.counter('grpc_client_handled_total', 'Calls to other services, by status code and reason.', [
    'callee',
    'method',
    'code',
    'reason',
  ]);
  const seconds = metrics.histogram(
    'grpc_client_handling_seconds',
    'Time of calls to other services, retries included.',
    ['callee', 'method'],
  );
  const end = (span: ActiveSpan | undefined, code: string | undefined, reason: string): void => {
    handled.inc({ ...labels, code, reason });
    span?.set({
      'rpc.response.status_code': code,
      'taskflow.breaker.state': breakerState(),
      ...(reason !== '' && { 'taskflow.reason': reason }),
    });
  };
  const observe = async <T>(call: () => Promise<T>, span: ActiveSpan | undefined): Promise<T> => {
    const stop = seconds.startTimer(labels);
    try {
      const result = await call();
      end(span, 'OK', '');
      return result;
    } catch (error) {
      const { kind, reason } = toAppError(error);
      end(span, status[errorTable[kind].code], reason);
      throw error;
    } finally {
      stop();
    }
  };
  const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': method, 'server.address': callee };
  return (call) => inSpan({ name: method, kind: 'client', attributes }, (span) => observe(call, span));
}
