import { currentContext, runWithContext } from '../context.ts';
import type { ActiveSpan, NewSpan, Tracer } from './span.ts';
import { isSampled } from './trace-parent.ts';

// One process is one service. Passing the tracer through every statement and every loop would cost more than it
// explains.
let tracer: Tracer | undefined;

/** From now on spans go to this tracer; with undefined nothing is recorded. */
export function useTracer(next: Tracer | undefined): void {
  tracer = next;
}

/** Whether anything is recorded at all. */
export function isTracing(): boolean {
  return tracer !== undefined;
}

/**
 * Begins a span; the caller ends it. Returns undefined, and creates nothing, while tracing is off, when its trace is
 * not recorded, and when there is no running call that it could belong to.
 */
export function startSpan(span: NewSpan): ActiveSpan | undefined {
  if (tracer === undefined) return undefined;
  const parent = span.parent ?? currentContext()?.traceParent;
  if (parent === undefined || (parent !== '' && !isSampled(parent))) return undefined;
  return tracer.start({ ...span, parent });
}

/** What a span may say about an error. */
export function failureOf(error: unknown): { type: string } {
  const { reason, code, name } = (error ?? {}) as { reason?: unknown; code?: unknown; name?: unknown };
  const word = [reason, code, name].find((value) => typeof value === 'string' && /^[\w.-]{1,80}$/.test(value));
  return { type: typeof word === 'string' ? word : 'error' };
}

/** Runs work and ends the spans with it, as failed when it throws. */
export async function endSpansAfter<T>(spans: readonly (ActiveSpan | undefined)[], work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    for (const span of spans) span?.end();
    return result;
  } catch (error) {
    for (const span of spans) span?.end(failureOf(error));
    throw error;
  }
}

/**
 * Runs work as a span of its own; spans that the work starts continue it. Without a span (see startSpan) the work just
 * runs. The span ends with the work, as failed when the work throws.
 */
export async function inSpan<T>(span: NewSpan, work: (active: ActiveSpan | undefined) => Promise<T>): Promise<T> {
  const context = tracer === undefined ? undefined : currentContext();
  const active = context === undefined ? undefined : startSpan(span);
  if (context === undefined || active === undefined) return work(undefined);
  const inside = { ...context, span: active, traceParent: active.traceParent };
  return endSpansAfter([active], () => runWithContext(inside, () => work(active)));
}
