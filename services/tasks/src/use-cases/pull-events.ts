import type { EventBatch } from '#libs/events';
import { crashPoint, remainingMs } from '#libs/runtime';
import type { EventPosition, PullEventsResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { eventsCompacted, logRestored } from '../domain/feed.errors.ts';
import { toTaskEvent } from '../domain/task.events.ts';

export interface PullEventsInput {
  after: EventPosition | undefined;
  limit: number;
  maxWaitMs: number;
}

type Deps = Pick<TasksDeps, 'eventFeed'>;

/** Reserved for the last read and the answer. */
const reserveMs = 500;
/** A notified event stays invisible while an older transaction runs, and nothing announces the end of that transaction. */
const lookAgainMs = 500;

/**
 * Answers at once when there are events, else waits up to `maxWaitMs` for one. Throws EVENTS_COMPACTED when events were deleted,
 * and LOG_RESTORED for a position that the log does not have.
 */
export async function pullEvents(
  { eventFeed }: Deps,
  signal: AbortSignal,
  input: PullEventsInput,
): Promise<PullEventsResponse> {
  const until = performance.now() + Math.min(input.maxWaitMs, remainingMs() - reserveMs);
  for (;;) {
    const stopWaiting = new AbortController();
    const leftMs = until - performance.now();
    // The wait begins before the read, so that an event in between is not missed.
    const wait =
      leftMs > 0
        ? eventFeed.wait(Math.min(leftMs, lookAgainMs), AbortSignal.any([signal, stopWaiting.signal]))
        : undefined;
    try {
      const page = await eventFeed.pull(input.after, input.limit);
      if (page.unknown) throw logRestored();
      if (page.pruned) throw eventsCompacted();
      if (page.events.length > 0 || wait === undefined || signal.aborted || eventFeed.closing.aborted)
        return toResponse(page);
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
