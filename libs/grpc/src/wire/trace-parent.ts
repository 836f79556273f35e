import { parseTraceParent } from '#libs/runtime';

/** The metadata key for the trace of a call. */
export const traceParentKey = 'traceparent';

/** The caller's traceparent; '' when it is missing or damaged. */
export function readTraceParent(offered = ''): string {
  return parseTraceParent(offered) === undefined ? '' : offered;
}
