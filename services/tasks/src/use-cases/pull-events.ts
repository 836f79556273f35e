import type { EventBatch } from '#libs/events';
import { crashPoint, remainingMs } from '#libs/runtime';
import type { EventPosition, PullEventsResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { eventsCompacted } from '../domain/feed.errors.ts';
import { toTaskEvent } from '../domain/task.events.ts';

export interface PullEventsInput {
  after: EventPosition | undefined;
  limit: number;
  maxWaitMs: number;
}

type Deps = Pick<TasksDeps, 'eventFeed'>;

/** What is kept back for the last look and the answer. */
const reserveMs = 500;
/** A notified event may stay invisible while an older transaction runs, and that one's end is announced by nobody. */
const lookAgainMs = 500;

/** Answers at once when there are events; otherwise waits for one, up to `maxWaitMs`. Throws EVENTS_COMPACTED when some are gone. */
export async function pullEvents({ eventFeed }: Deps, signal: AbortSignal, input: PullEventsInput): Promise<PullEventsResponse> {
  const until = Date.now() + Math.min(input.maxWaitMs, remainingMs() - reserveMs);
  for (;;) {
    const stopWaiting = new AbortController();
    const leftMs = until - Date.now();
    // The wait begins before the look, so that an event which comes in between is not missed.
    const wait = leftMs > 0 ? eventFeed.wait(Math.min(leftMs, lookAgainMs), AbortSignal.any([signal, stopWaiting.signal])) : undefined;
    try {
      const page = await eventFeed.pull(input.after, input.limit);
      if (page.pruned) throw eventsCompacted();
      if (page.events.length > 0 || wait === undefined || signal.aborted || eventFeed.closing.aborted) return toResponse(page);
      await wait;
    } finally {
      stopWaiting.abort();
    }
  }
}

function toResponse({ events, next, more }: EventBatch): PullEventsResponse {
  if (events.length > 0) crashPoint('pull.before-answer');
  return { events: events.map(toTaskEvent), next, more };
}
