import type { SqlReader } from '#libs/db';
import { runInBackground, startLoop, type Logger } from '#libs/runtime';
import { currentPosition, isBefore, readFeed } from './feed.ts';
import type { Position, StoredEvent } from './pull.ts';
import { createSubscription, type Subscription } from './subscription.ts';
import { followFeed, type FeedItem } from './follow-feed.ts';

export type { FeedItem } from './follow-feed.ts';

/** Reads the log once for all who follow it in this process, while anybody does. */
export interface EventHub {
  /**
   * The events that concern a user, each once and in the order of the log, behind `after` (undefined = from now on), and
   * where the reader stands: at once, then whenever nothing else came for `heartbeatMs`. Ends when the signal fires.
   * What the reader does not take is not kept: it is read again from the log, so memory is bounded. Throws when the log
   * cannot be read; `onPruned` makes the error for a position whose successors are gone.
   */
  follow(userId: string, after: Position | undefined, signal: AbortSignal): AsyncGenerator<FeedItem, void>;
  stop(): Promise<void>;
}

export interface EventHubOptions {
  reader: SqlReader;
  logger: Logger;
  /** Resolves at the next announcement, after `maxMs`, or when the signal fires. */
  wait: (maxMs: number, signal: AbortSignal) => Promise<void>;
  audienceOf: (payload: Uint8Array) => readonly string[];
  onPruned: () => Error;
  heartbeatMs: number;
}

const pageSize = 200;
/** The end of an older transaction, which holds events back, is announced by nobody. */
const lookAgainMs = 250;
const readTimeoutMs = 5000;

export function createEventHub(options: EventHubOptions): EventHub {
  const { reader, logger, audienceOf } = options;
  const subscriptions = new Map<string, Set<Subscription>>();
  let position: Position | undefined;
  const everybody = (): Subscription[] => [...subscriptions.values()].flatMap((all) => [...all]);

  /** Those whom one of the events concerns have got it, and still have to be woken. */
  function hand(events: readonly StoredEvent[]): Set<Subscription> {
    const concerned = new Set<Subscription>();
    for (const event of events) {
      for (const userId of new Set(audienceOf(event.payload))) {
        for (const subscription of subscriptions.get(userId) ?? []) {
          subscription.offer(event);
          concerned.add(subscription);
        }
      }
    }
    return concerned;
  }

  async function readOnce(): Promise<{ again: boolean }> {
    const known = position;
    if (known === undefined) {
      position = await currentPosition(reader);
      for (const subscription of everybody()) subscription.notice();
      return { again: true };
    }
    const page = await readFeed(reader, known, pageSize);
    const concerned = hand(page.events);
    position = isBefore(known, page.next) ? page.next : known;
    for (const subscription of concerned) subscription.notice();
    return { again: page.more };
  }

  async function run(stopping: AbortSignal): Promise<{ again: boolean } | void> {
    if (subscriptions.size === 0) {
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
      for (const subscription of everybody()) subscription.fail(error);
      throw error;
    } finally {
      stopWaiting.abort();
    }
  }

  const loop = startLoop({ name: 'event-hub', logger, intervalMs: 1000, maxBackoffMs: 2000, run });

  function join(userId: string): Subscription {
    const subscription = createSubscription(() => position);
    const all = subscriptions.get(userId) ?? new Set();
    subscriptions.set(userId, all.add(subscription));
    loop.wake();
    return subscription;
  }

  function leave(userId: string, subscription: Subscription): void {
    const all = subscriptions.get(userId);
    all?.delete(subscription);
    if (all?.size === 0) subscriptions.delete(userId);
  }

  return {
    follow: async function* (userId, after, signal) {
      const subscription = join(userId);
      try {
        yield* followFeed({ ...options, userId, subscription, signal }, after);
      } finally {
        leave(userId, subscription);
      }
    },
    stop: loop.stop,
  };
}
