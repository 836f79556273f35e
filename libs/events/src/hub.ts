import { runInBackground, startLoop, type Logger } from '#libs/runtime';
import type { FeedSource } from './feed.ts';
import { isBefore, type Position, type StoredEvent } from './pull.ts';
import { createSubscription, type Subscription } from './subscription.ts';
import { followFeed, type FeedItem } from './follow-feed.ts';

export type { FeedItem } from './follow-feed.ts';

/** Reads the log once for all who follow it in this process, while anybody does. */
export interface EventHub {
  /**
   * The events that concern a user, each once and in the order of the log, behind `after` (undefined = from now on), and
   * where the reader stands: at once, then whenever nothing else came for `heartbeatMs`. Ends when the signal fires.
   * What the reader does not take is not kept: it is read again from the log, so memory is bounded. Throws when the log
   * cannot be read or events behind the position are gone.
   */
  follow(userId: string, after: Position | undefined, signal: AbortSignal): AsyncGenerator<FeedItem, void>;
  stop(): Promise<void>;
}

export interface EventHubOptions {
  source: FeedSource;
  logger: Logger;
  /** Resolves at the next announcement, after `maxMs`, or when the signal fires. */
  wait: (maxMs: number, signal: AbortSignal) => Promise<void>;
  /** Each user once. */
  audienceOf: (event: StoredEvent) => readonly string[];
  /** Makes the error for a position whose successors are gone. */
  onPruned: () => Error;
  heartbeatMs: number;
}

const pageSize = 200;
/** The end of an older transaction, which holds events back, is announced by nobody. */
const lookAgainMs = 250;
const readTimeoutMs = 5000;

interface Readers {
  everybody(): Subscription[];
  join(userId: string): Subscription;
  leave(userId: string, subscription: Subscription): void;
  /** Offers events to those whom they concern, and returns these, who still have to be woken. */
  hand(events: readonly StoredEvent[]): Set<Subscription>;
}

function createReaders(audienceOf: EventHubOptions['audienceOf'], hubPosition: () => Position | undefined): Readers {
  const byUser = new Map<string, Set<Subscription>>();
  return {
    everybody: () => [...byUser.values()].flatMap((all) => [...all]),
    join: (userId) => {
      const subscription = createSubscription(hubPosition);
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

export function createEventHub(options: EventHubOptions): EventHub {
  const { source, logger, audienceOf } = options;
  const readers = createReaders(audienceOf, () => position);
  let position: Position | undefined;

  async function readOnce(): Promise<{ again: boolean }> {
    const known = position;
    if (known === undefined) {
      position = await source.end();
      readers.everybody().forEach((subscription) => subscription.notice());
      return { again: true };
    }
    const page = await source.read(known, pageSize);
    const concerned = readers.hand(page.events);
    position = isBefore(known, page.next) ? page.next : known;
    concerned.forEach((subscription) => subscription.notice());
    return { again: page.more };
  }

  async function run(stopping: AbortSignal): Promise<{ again: boolean } | void> {
    if (readers.everybody().length === 0) {
      position = undefined;
      return;
    }
    const stopWaiting = new AbortController();
    // The wait begins before the look, so that an event which comes in between is not missed.
    const wait = options.wait(lookAgainMs, AbortSignal.any([stopping, stopWaiting.signal]));
    try {
      const { again } = await runInBackground({ name: 'event-hub', logger, timeoutMs: readTimeoutMs, signal: stopping }, readOnce);
      if (!again) await wait;
      return { again: true };
    } catch (error) {
      // Whoever follows is told, and goes on later from the position that it holds.
      readers.everybody().forEach((subscription) => subscription.fail(error));
      throw error;
    } finally {
      stopWaiting.abort();
    }
  }

  const loop = startLoop({ name: 'event-hub', logger, intervalMs: 1000, maxBackoffMs: 2000, run });

  return {
    follow: async function* (userId, after, signal) {
      const subscription = readers.join(userId);
      loop.wake();
      try {
        yield* followFeed({ ...options, userId, subscription, signal }, after);
      } finally {
        readers.leave(userId, subscription);
      }
    },
    stop: loop.stop,
  };
}
