import { endSpansAfter, inSpan, isSampled, startSpan, type ActiveSpan } from '#libs/runtime';

interface TracedEvent {
  traceParent?: string | undefined;
}

/**
 * Records the handling of a batch in the trace of each event. The work becomes a part of the first recorded event's
 * trace; every other trace gets a span that links to it. `work` receives the events with the traceparents that its own
 * work must continue.
 */
export function recordBatch<E extends TracedEvent, T>(
  name: string,
  events: E[],
  work: (events: E[]) => Promise<T>,
): Promise<T> {
  const [first, ...others] = new Set(events.map((event) => event.traceParent ?? '').filter(isSampled));
  if (first === undefined) return work(events);
  const attributes = { 'messaging.batch.message_count': events.length };
  return inSpan({ name, kind: 'consumer', parent: first, links: others, attributes }, async (main) => {
    if (main === undefined) return work(events);
    const spans = new Map([[first, main]]);
    for (const parent of others) {
      const span = startSpan({ name, kind: 'consumer', parent, links: [main.traceParent], attributes });
      if (span !== undefined) spans.set(parent, span);
    }
    return endSpansAfter([...spans.values()], () => work(events.map((event) => continueIn(event, spans))));
  });
}

function continueIn<E extends TracedEvent>(event: E, spans: ReadonlyMap<string, ActiveSpan>): E {
  const span = spans.get(event.traceParent ?? '');
  return span === undefined ? event : { ...event, traceParent: span.traceParent };
}
