import type { EventBatch, OwnEvents, Position } from '#libs/events';
import { crashPoint, remainingMs } from '#libs/runtime';
import type { EventPosition, PullEventsResponse, TaskEvent } from '#contract/tasks/v1/tasks';
import type { EventFeed, TasksDeps } from '../deps.ts';
import { eventsCompacted, logRestored } from '../domain/feed.errors.ts';
import { countFitting } from '../domain/message-size.ts';
import { audienceOfPayload } from '../domain/task-audience.ts';
import { isTaskEvent, toTaskEvent } from '../domain/task.events.ts';
import { positionBefore } from './comments/comments-of-page.ts';
import { withReaders } from './watchers/with-readers.ts';

export interface PullEventsInput {
  after: EventPosition | undefined;
  limit: number;
  maxWaitMs: number;
  /** Persons and projects of whose events the answer tells. */
  readers: OwnEvents;
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
 * Answers at once when there are events that concern others than their actors, or one of the readers, else waits up to
 * `maxWaitMs` for one and passes over all other events meanwhile. Throws EVENTS_COMPACTED when events were deleted, and LOG_RESTORED for a
 * position that the log does not have.
 */
export async function pullEvents(
  { eventFeed, watcherReader }: Deps,
  signal: AbortSignal,
  { after, limit, maxWaitMs, readers }: PullEventsInput,
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
      const page = await readPage(eventFeed, position, { limit, readers });
      const isEmpty = page.events.length === 0 && page.readerIds.length === 0;
      if (!isEmpty || wait === undefined || signal.aborted || eventFeed.closing.aborted)
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

interface Page extends EventBatch {
  readerIds: string[];
}

async function readPage(
  eventFeed: EventFeed,
  after: Position | undefined,
  { limit, readers }: Pick<PullEventsInput, 'limit' | 'readers'>,
): Promise<Page> {
  const page = await eventFeed.pull(after, limit, readers);
  if (page.unknown) throw logRestored();
  if (page.pruned) throw eventsCompacted();
  // Nobody is notified of what happens to projects; readers learn from their own part of the log what it is.
  return { ...page, events: page.events.filter(isTaskEvent), readerIds: readersOf(page, readers) };
}

function readersOf({ events }: EventBatch, readers: OwnEvents): string[] {
  if (readers.length === 0) return [];
  const concerned = new Set(events.flatMap(({ payload }) => audienceOfPayload(payload)));
  return readers === 'all' ? [...concerned] : readers.filter((id) => concerned.has(id));
}

async function toResponse(
  deps: Pick<Deps, 'watcherReader'>,
  { events, next, more, readerIds }: Page,
): Promise<PullEventsResponse> {
  if (events.length > 0) crashPoint('pull.before-answer');
  const told = await withReaders(deps, events.map(toTaskEvent));
  // In a large project each event may have 500 readers. Those that are left out come with the next page.
  const count = countFitting(told.map(sizeOfReaders));
  if (count === told.length) return { events: told, next, more, readerIds };
  return { events: told.slice(0, count), next: positionBefore(events, count), more: true, readerIds };
}

/** An upper bound, in bytes. */
const sizeOfReaders = ({ readers }: TaskEvent): number =>
  40 *
  [readers?.watcherIds, readers?.mentionedIds, readers?.stoppedIds].reduce((sum, ids) => sum + (ids?.length ?? 0), 0);
