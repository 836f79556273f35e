import { newSpanId, newTraceParent } from '#libs/runtime';

export const traceParentKey = 'traceparent';

// W3C trace context, version 00; ids of zeros only are invalid.
const valid = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;

/** The caller's traceparent as it is; '' when there is none or a damaged one. */
export function readTraceParent(offered: string | undefined): string {
  return valid.test(offered ?? '') ? (offered ?? '') : '';
}

/** The caller's trace with a span id of our own, or a new trace when the caller sent none or a damaged one. */
export function continueTrace(offered: string | undefined): string {
  if (offered === undefined) return newTraceParent();
  const [, traceId, flags] = valid.exec(offered) ?? [];
  return traceId === undefined ? newTraceParent() : `00-${traceId}-${newSpanId()}-${flags}`;
}
