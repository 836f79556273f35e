import { randomBytes } from 'node:crypto';

/** The trace id of a W3C traceparent; '' when it is none. */
export function traceIdOf(traceParent: string): string {
  return traceParent.split('-')[1] ?? '';
}

/** Whether the trace that a W3C traceparent belongs to is recorded. */
export function isSampled(traceParent: string): boolean {
  return (Number.parseInt(traceParent.slice(-2), 16) & 1) === 1;
}

/** A new W3C traceparent: unsampled, since whether to record is decided by a tracer. */
export function newTraceParent(): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-00`;
}
