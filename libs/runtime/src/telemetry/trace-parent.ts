import { randomHex } from './random-hex.ts';

/** The parts of a W3C traceparent (version 00). */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits. */
  spanId: string;
  /** One byte; its lowest bit says that the trace is recorded. */
  flags: number;
}

// Ids of zeros only are invalid.
const pattern = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** undefined when the text is no valid traceparent. */
export function parseTraceParent(text: string): TraceParent | undefined {
  const [, traceId, spanId, flags] = pattern.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

export function formatTraceParent({ traceId, spanId, flags }: TraceParent): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;
}

/** The trace id of a traceparent; '' when the text is not one. */
export function traceIdOf(traceParent: string): string {
  return parseTraceParent(traceParent)?.traceId ?? '';
}

/** Whether the trace that a traceparent belongs to is recorded. */
export function isSampled(traceParent: string): boolean {
  return ((parseTraceParent(traceParent)?.flags ?? 0) & 1) === 1;
}

/** A new traceparent: unsampled, since whether to record is decided by a tracer. */
export function newTraceParent(): string {
  return formatTraceParent({ traceId: randomHex(16), spanId: randomHex(8), flags: 0 });
}

/** The caller's trace with a span id of our own, or a new trace when the caller sent none or a damaged one. */
export function continueTrace(offered: string | undefined): string {
  const caller = parseTraceParent(offered ?? '');
  return caller === undefined ? newTraceParent() : formatTraceParent({ ...caller, spanId: randomHex(8) });
}
