import { currentContext, runWithContext } from '../context.ts';
import type { ActiveSpan, NewSpan, Tracer } from './span.ts';
import { isSampled } from './trace-parent.ts';

// One process is one service. Passing the tracer through every statement and every loop would cost more than it tells.
let tracer: Tracer | undefined;

/** From now on spans go to this tracer; undefined: nothing is recorded. */
export function useTracer(next: Tracer | undefined): void {
  tracer = next;
}

/** Whether anything is recorded at all. */
export function isTracing(): boolean {
  return tracer !== undefined;
}

/**
 * Begins a span; whoever gets it ends it. Undefined, and nothing was made, while tracing is off, when the trace that it
 * would belong to is not recorded, and when no call is running that it could belong to.
 */
export function startSpan(span: NewSpan): ActiveSpan | undefined {
  if (tracer === undefined) return undefined;
  const parent = span.parent ?? currentContext()?.traceParent;
  if (parent === undefined || (parent !== '' && !isSampled(parent))) return undefined;
  return tracer.start({ ...span, parent });
}

/** What an error may say about itself in a span. */
export function failureOf(error: unknown): { type: string } {
  const { reason, code, name } = (error ?? {}) as { reason?: unknown; code?: unknown; name?: unknown };
  const word = [reason, code, name].find((value) => typeof value === 'string' && /^[\w.-]{1,80}$/.test(value));
  return { type: typeof word === 'string' ? word : 'error' };
}

/**
 * Runs work as a span of its own: what it starts meanwhile continues that span. Without one (see startSpan) the work just
 * runs. The span ends with the work, as failed when that throws.
 */
export async function inSpan<T>(span: NewSpan, work: (active: ActiveSpan | undefined) => Promise<T>): Promise<T> {
  const context = tracer === undefined ? undefined : currentContext();
  const active = context === undefined ? undefined : startSpan(span);
  if (context === undefined || active === undefined) return work(undefined);
  try {
    const result = await runWithContext({ ...context, span: active, traceParent: active.traceParent }, () => work(active));
    active.end();
    return result;
  } catch (error) {
    active.end(failureOf(error));
    throw error;
  }
}
