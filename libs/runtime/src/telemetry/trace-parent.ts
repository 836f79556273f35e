import { randomHex } from './random-hex.ts';

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
  return `00-${randomHex(16)}-${newSpanId()}-00`;
}

/** The third part of a W3C traceparent. */
export function newSpanId(): string {
  return randomHex(8);
}
