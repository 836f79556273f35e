import { status } from '@grpc/grpc-js';
import { errorTable, toAppError, type AppError } from '#libs/errors';
import { traceIdOf, type Logger, type Metrics } from '#libs/runtime';
import { endCallSpan, previousAttempts } from './call-span.ts';
import type { Interceptor, RunningCall } from './chain.ts';

/** The RED metrics of a server: rate, errors, duration. */
export function serverMetrics(metrics: Metrics) {
  return {
    handled: metrics.counter('grpc_server_handled_total', 'Calls answered, by method, status code and reason.', [
      'method',
      'code',
      'reason',
    ]),
    seconds: metrics.histogram('grpc_server_handling_seconds', 'Time from the arrival of a call to its status.', [
      'method',
    ]),
    repeated: metrics.counter(
      'grpc_server_repeated_total',
      'Calls that a client sent again by itself; a client stops when half of its retry budget is used up.',
      ['method'],
    ),
    running: metrics.gauge('grpc_server_running', 'Calls being handled.', ['method']),
  };
}

function describeCaller({ caller: { user, service } }: RunningCall) {
  return {
    ...(user && { userId: user.userId }),
    ...(user?.token && { tokenId: user.token.id }),
    ...(service && { caller: service }),
  };
}

/** The log line of a call that ended. */
function describeEnd(call: RunningCall, startedAt: number, error: AppError | undefined) {
  const { context, policy, certificate } = call;
  return {
    method: policy.path,
    code: status[error === undefined ? status.OK : errorTable[error.kind].code],
    ...(error && { reason: error.reason }),
    durationMs: Math.round((performance.now() - startedAt) * 10) / 10,
    ...describeCaller(call),
    ...(error && certificate && { certificate }),
    requestId: context.requestId,
    traceId: traceIdOf(context.traceParent),
    peer: context.peer,
    ...(error?.cause !== undefined && { err: error.cause }),
  };
}

/** Logs and counts every call, including those that later stages refuse. */
export function observe({ logger, metrics }: { logger: Logger; metrics: Metrics }): Interceptor<RunningCall> {
  const { handled, seconds, running, repeated } = serverMetrics(metrics);
  return async (call, next) => {
    const method = call.policy.path;
    const startedAt = performance.now();
    const end = (error?: AppError): void => {
      const line = describeEnd(call, startedAt, error);
      running.dec({ method });
      handled.inc({ method, code: line.code, reason: error?.reason ?? '' });
      seconds.observe({ method }, (performance.now() - startedAt) / 1000);
      endCallSpan(call.context.span, line, error);
      logger[error === undefined ? 'info' : errorTable[error.kind].logLevel](line, 'call ended');
    };
    running.inc({ method });
    if (previousAttempts(call.metadata) > 0) repeated.inc({ method });
    try {
      await next();
    } catch (error) {
      end(toAppError(error));
      throw error;
    }
    end();
  };
}
