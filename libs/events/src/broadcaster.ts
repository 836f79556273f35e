import { runInBackground, startLoop, type Logger } from '#libs/runtime';
import type { FeedSource } from './feed.ts';
import { isBefore, type Position } from './position.ts';
import type { StoredEvent } from './pull.ts';
import { createSubscription, type Subscription } from './subscription.ts';
import { streamFeed, type FeedItem } from './stream-feed.ts';

export type { FeedItem } from './stream-feed.ts';

/** Reads the log once for all subscribers in this process, while there are any. */
export interface EventBroadcaster {
  /**
   * Yields the events that concern a user after `after` (undefined = from now on), each once and in the order of the
   * log, and the reader's position: at once, then whenever nothing else came for `heartbeatMs`. Ends when the signal
   * fires. Events that the reader does not take are not kept but read again from the log, so memory is bounded. Throws
   * when the log cannot be read, when events after the position are gone, or when another incarnation of the log has
   * begun.
   */
  subscribe(userId: string, after: Position | undefined, signal: AbortSignal): AsyncGenerator<FeedItem, void>;
  stop(): Promise<void>;
}

export interface EventBroadcasterOptions {
  source: FeedSource;
  logger: Logger;
  /** Resolves at the next announcement, after `maxMs`, or when the signal fires. */
  wait: (maxMs: number, signal: AbortSignal) => Promise<unknown>;
  /** Without duplicates. */
  audienceOf: (event: StoredEvent) => readonly string[];
  /** Makes the error for a position whose following events are gone. */
  onPruned: () => Error;
  /** Makes the error for a position that the log does not have: the log was restored, moved or failed over. */
  onUnknown: () => Error;
  heartbeatMs: number;
}

const pageSize = 200;
/** Nobody announces the end of an older transaction, which holds events back. */
const lookAgainMs = 250;
const readTimeoutMs = 5000;

interface Readers {
  everybody(): Subscription[];
  join(userId: string): Subscription;
  leave(userId: string, subscription: Subscription): void;
  /** Offers the events to the subscriptions that they concern. Returns those, which must still be woken. */
  hand(events: readonly StoredEvent[]): Set<Subscription>;
}

function createReaders(
  audienceOf: EventBroadcasterOptions['audienceOf'],
  broadcastPosition: () => Position | undefined,
): Readers {
  const byUser = new Map<string, Set<Subscription>>();
  return {
    everybody: () => [...byUser.values()].flatMap((all) => [...all]),
    join: (userId) => {
      const subscription = createSubscription(broadcastPosition);
      byUser.set(userId, (byUser.get(userId) ?? new Set()).add(subscription));
      return subscription;
    },
    leave: (userId, subscription) => {
      const all = byUser.get(userId);
      all?.delete(subscription);
      if (all?.size === 0) byUser.delete(userId);
    },
    hand: (events) => {
      const concerned = new Set<Subscription>();
      for (const event of events) {
        const subscriptions = audienceOf(event).flatMap((userId) => [...(byUser.get(userId) ?? [])]);
        for (const subscription of subscriptions) {
          subscription.offer(event);
          concerned.add(subscription);
        }
      }
      return concerned;
    },
  };
}

/** Reads the log page by page, from where it ended when the first subscriber came. */
function createLogCursor(options: EventBroadcasterOptions) {
  const { source, audienceOf } = options;
  let position: Position | undefined;
  const readers = createReaders(audienceOf, () => position);

  /** Finds the end of the log at first, then offers one page at a time. `again` when more may be there. */
  async function readOnce(): Promise<{ again: boolean }> {
    const known = position;
    if (known === undefined) {
      position = await source.end();
      readers.everybody().forEach((subscription) => subscription.notice());
      return { again: true };
    }
    const page = await source.read(known, pageSize);
    if (page.unknown) {
      position = undefined;
      readers.everybody().forEach((subscription) => subscription.fail(options.onUnknown()));
      return { again: true };
    }
    const concerned = readers.hand(page.events);
    position = isBefore(known, page.next) ? page.next : known;
    concerned.forEach((subscription) => subscription.notice());
    return { again: page.more };
  }

  return { readers, readOnce, forgetPosition: (): void => void (position = undefined) };
}

export function createEventBroadcaster(options: EventBroadcasterOptions): EventBroadcaster {
  const { logger } = options;
  const { readers, readOnce, forgetPosition } = createLogCursor(options);

  async function run(stopping: AbortSignal): Promise<{ again: boolean } | void> {
    if (readers.everybody().length === 0) {
      forgetPosition();
      return;
    }
    const stopWaiting = new AbortController();
    // The wait starts before the read, so that an event in between is not missed.
    const wait = options.wait(lookAgainMs, AbortSignal.any([stopping, stopWaiting.signal]));
    try {
      const { again } = await runInBackground(
        { name: 'event-broadcaster', logger, timeoutMs: readTimeoutMs, signal: stopping },
        readOnce,
      );
      if (!again) await wait;
      return { again: true };
    } catch (error) {
      // Each subscriber receives the error and goes on later from the position that it holds.
      readers.everybody().forEach((subscription) => subscription.fail(error));
      throw error;
    } finally {
      stopWaiting.abort();
    }
  }

  const loop = startLoop({ name: 'event-broadcaster', logger, intervalMs: 1000, maxBackoffMs: 2000, run });

  return {
    subscribe: async function* (userId, after, signal) {
      const subscription = readers.join(userId);
      loop.wake();
      try {
        yield* streamFeed({ ...options, userId, subscription, signal }, after);
      } finally {
        readers.leave(userId, subscription);
      }
    },
    stop: loop.stop,
  };
}
