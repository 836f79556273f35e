import type { Metadata } from '@grpc/grpc-js';
import type { AppError, ErrorKind } from '#libs/errors';
import { startSpan, type ActiveSpan } from '#libs/runtime';
import { textOf } from '../wire/metadata.ts';
import { readTraceParent, traceParentKey } from '../wire/trace-parent.ts';

/** grpc-js sends the number of earlier attempts (gRPC A6). */
const previousAttemptsKey = 'grpc-previous-rpc-attempts';

export function previousAttempts(metadata: Metadata): number {
  return Number(textOf(metadata, previousAttemptsKey) ?? 0);
}

/** The errors that the conventions for RPC spans count as the server's. */
const serverFaults: ReadonlySet<ErrorKind> = new Set(['deadline_exceeded', 'unimplemented', 'internal', 'unavailable']);

/** Starts the span of an incoming call, which continues the caller's trace. */
export function startCallSpan(path: string, metadata: Metadata, requestId: string): ActiveSpan | undefined {
  const method = path.slice(1);
  const previous = previousAttempts(metadata);
  return startSpan({
    name: method,
    kind: 'server',
    attributes: {
      'rpc.system.name': 'grpc',
      'rpc.method': method,
      'taskflow.request_id': requestId,
      ...(previous > 0 && { 'taskflow.retry.previous_attempts': previous }),
    },
    parent: readTraceParent(textOf(metadata, traceParentKey)),
  });
}

/** Ends the span with the outcome of the call. Errors of the caller do not fail the span. */
export function endCallSpan(
  span: ActiveSpan | undefined,
  { code, caller }: { code: string | undefined; caller?: string },
  error: AppError | undefined,
): void {
  if (span === undefined) return;
  span.set({
    'rpc.response.status_code': code,
    ...(error && { 'taskflow.reason': error.reason }),
    ...(caller !== undefined && { 'taskflow.caller': caller }),
  });
  span.end(error !== undefined && serverFaults.has(error.kind) ? { type: error.reason } : undefined);
}
