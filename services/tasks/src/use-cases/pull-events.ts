import type { EventBatch, Position } from '#libs/events';
import { crashPoint, remainingMs } from '#libs/runtime';
import type { EventPosition, PullEventsResponse } from '#contract/tasks/v1/tasks';
import type { EventFeed, TasksDeps } from '../deps.ts';
import { eventsCompacted, logRestored } from '../domain/feed.errors.ts';
import { isTaskEvent, toTaskEvent } from '../domain/task.events.ts';
import { withReaders } from './watchers/with-readers.ts';

export interface PullEventsInput {
  after: EventPosition | undefined;
  limit: number;
  maxWaitMs: number;
}

type Deps = Pick<TasksDeps, 'eventFeed' | 'watcherReader'>;

/** Reserved for the last read and the answer. */
const reserveMs = 500;
/**
 * When to look again unasked: an announced event stays invisible while an older transaction runs, and nothing announces
 * the end of that transaction. Most end soon; each further pause is twice as long.
 */
const lookAgain = { firstMs: 10, maxMs: 500 };

/**
 * Answers at once when there are events that concern others than their actors, else waits up to `maxWaitMs` for one and
 * passes over all other events meanwhile. Throws EVENTS_COMPACTED when events were deleted, and LOG_RESTORED for a
 * position that the log does not have.
 */
export async function pullEvents(
  { eventFeed, watcherReader }: Deps,
  signal: AbortSignal,
  { after, limit, maxWaitMs }: PullEventsInput,
): Promise<PullEventsResponse> {
  const until = performance.now() + Math.min(maxWaitMs, remainingMs() - reserveMs);
  let position = after;
  let pauseMs = lookAgain.firstMs;
  for (;;) {
    const stopWaiting = new AbortController();
    const leftMs = until - performance.now();
    const stopped = AbortSignal.any([signal, stopWaiting.signal]);
    // The wait begins before the read, so that an event in between is not missed.
    const wait = leftMs > 0 ? eventFeed.wait(Math.min(leftMs, pauseMs), stopped, 'others') : undefined;
    try {
      const page = await readPage(eventFeed, position, limit);
      if (page.events.length > 0 || wait === undefined || signal.aborted || eventFeed.closing.aborted)
        return await toResponse({ watcherReader }, page);
      position = page.next;
      if (page.more) continue;
      const announced = await wait;
      pauseMs = announced ? lookAgain.firstMs : Math.min(2 * pauseMs, lookAgain.maxMs);
    } finally {
      stopWaiting.abort();
    }
  }
}

async function readPage(eventFeed: EventFeed, after: Position | undefined, limit: number): Promise<EventBatch> {
  const page = await eventFeed.pull(after, limit);
  if (page.unknown) throw logRestored();
  if (page.pruned) throw eventsCompacted();
  // A scheduler that knows of projects will ask for their events; until then they concern no task and nobody is told.
  return { ...page, events: page.events.filter(isTaskEvent) };
}

async function toResponse(
  deps: Pick<Deps, 'watcherReader'>,
  { events, next, more }: EventBatch,
): Promise<PullEventsResponse> {
  if (events.length > 0) crashPoint('pull.before-answer');
  return { events: await withReaders(deps, events.map(toTaskEvent)), next, more };
}
